// The web client brings React; `dataSource` and `config` are what the dashboard says.
export default function BigNumber({ title, dataSource, config }) {
  const value = dataSource?.value;
  const text = typeof value === "number" ? value.toFixed(config?.decimals ?? 1) : String(value ?? "–");
  const style = { fontSize: "3rem", fontVariantNumeric: "tabular-nums", textAlign: "center" };
  return window.React.createElement(
    "figure",
    { style: { margin: 0 } },
    window.React.createElement("div", { style }, `${text} ${config?.unit ?? ""}`.trim()),
    window.React.createElement("figcaption", { style: { textAlign: "center" } }, title),
  );
}
