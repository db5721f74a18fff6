"use strict";

// Where the platform is: the page is <platform>/api/docs, and a proxy may have put it below a path of its own.
const api = new URL("./", document.baseURI);
const platform = new URL("../", api);

async function load() {
  const answer = await fetch(new URL("openapi.json", api));
  if (!answer.ok) {
    throw new Error(`the platform answered ${answer.status}`);
  }
  const spec = await answer.json();
  spec.servers = [{ url: platform.href.replace(/\/$/, "") }];
  return spec;
}

function show(spec) {
  SwaggerUIBundle({
    spec,
    dom_id: "#reference",
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    persistAuthorization: false,
    queryConfigEnabled: false,
    tagsSorter: "alpha",
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

function explain(error) {
  const note = document.createElement("p");
  note.className = "console-note";
  note.textContent = `The reference could not be loaded: ${error.message}`;
  document.getElementById("reference").replaceChildren(note);
}

load().then(show).catch(explain);
