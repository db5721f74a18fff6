"""The first day of somebody who writes a program against the API: a real server, HTTP, and a key."""

import base64
import json
import struct
import time
import zlib

import attrs
import pytest

ADMIN = {"username": "anna", "password": "kitchen-1"}
METRICS = [("temperature", "float"), ("door", "string"), ("image", "string"), ("photo", "string")]
TYPE = {
    "device_type": "temp",
    "name": "Thermometer with a camera",
    "metrics": [{"name": name, "display_name": name.title(), "data_type": kind} for name, kind in METRICS],
}
SECONDS_A_DAY = 86_400
BATCH = 18
EVERY_S = 600


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


# Eight black pixels a side.
PNG = b"\x89PNG\r\n\x1a\n" + b"".join(
    (
        chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)),
        chunk(b"IDAT", zlib.compress(bytes(8 * (1 + 3 * 8)))),
        chunk(b"IEND", b""),
    )
)


@attrs.define
class Day:
    """The server, which may be started again, and who asks it: a program with a key, and people."""

    home: object
    server: object
    session: str
    key: str

    @property
    def program(self):
        return self.server.client(x_api_key=self.key)

    @property
    def device(self):
        """Devices post without a credential."""
        return self.server.client()

    @property
    def admin(self):
        """Logged in once: who logs in too often has to wait."""
        return self.server.client(authorization=self.session)

    def restart(self):
        assert self.server.stop()[0] == 0
        self.server = self.home.serve()


@pytest.fixture(scope="module")
def day(make_home, data):
    home = make_home("first_day")
    server = home.serve()
    registered = data(server.client().post("/auth/register", json=ADMIN))
    assert registered["user"]["role"] == "admin"
    wish = {"name": "integration", "scopes": ["devices:read", "devices:write"]}
    admin = server.user(**ADMIN)
    made = data(admin.post("/auth/keys", json=wish))
    day = Day(home, server, admin.headers["authorization"], made["api_key"])
    data(day.program.post("/devices/types", json=TYPE))
    yield day
    assert day.server.stop()[0] == 0
    logged = day.server.err.all()
    assert made["api_key"] not in logged
    assert "Traceback" not in logged


@pytest.fixture
def sensor(day):
    """The id of a new device, registered as the example of the reference page does it."""
    response = day.program.post("/devices", json={"name": "sensor", "device_type": "temp", "connection_config": {}})
    answer = response.json()
    assert answer.get("success"), answer["error"]
    return answer["data"]["device_id"]


def send(day, sensor, data, **request):
    answer = data(day.device.post(f"/devices/{sensor}/webhook", **request))
    assert (answer["success"], answer["device_id"]) == (True, sensor)


@pytest.fixture
def readings(day, sensor, data):
    """A batch of three hours, oldest first: time and temperature."""
    now = int(time.time())
    points = [(now - EVERY_S * (BATCH - number), number + 0.5) for number in range(BATCH)]
    send(day, sensor, data, json=[{"timestamp": at, "temperature": value} for at, value in points])
    return points


@pytest.fixture
def history(day, sensor, data):
    def ask(metric="temperature", **query):
        return data(day.program.get(f"/devices/{sensor}/history", params={"metric": metric, **query}))

    return ask


def pairs(points):
    return [(point["timestamp"], point["value"]) for point in points]


# ---- readings -------------------------------------------------------------------------------------------------------


def test_the_example_of_the_reference_page_prints_what_is_wrong(day):
    body = {"name": "sensor", "device_type": "boiler", "connection_config": {}}
    answer = day.program.post("/devices", json=body).json()
    assert not answer.get("success")
    assert answer["error"]["code"] == "DEVICE_TYPE_NOT_FOUND"
    assert "boiler" in answer["error"]["message"]


def test_history_raw_and_by_pages(readings, history):
    whole = history(time_range="24h")
    assert pairs(whole["data"]["temperature"]) == readings[::-1]
    assert whole["pagination"]["total"] == BATCH
    found, cursor = [], {}
    while cursor.get("cursor", 0) is not None:
        page = history(limit=5, **cursor)
        found += pairs(page["data"]["temperature"])
        cursor = {"cursor": page["pagination"]["next_cursor"]}
    assert found == readings[::-1]
    assert pairs(history(limit=5, offset=5)["data"]["temperature"]) == readings[::-1][5:10]


def test_history_in_buckets_and_as_one_number(readings, history):
    buckets = pairs(history(time_range="4h", bucketed=True, limit=5)["data"]["temperature"])
    assert 3 <= len(buckets) <= 5
    assert buckets == sorted(buckets)
    assert buckets[-1][1] == readings[-1][1]
    values = [value for _, value in readings]
    for aggregate, expected in (("avg", sum(values) / BATCH), ("min", 0.5), ("max", values[-1]), ("count", BATCH)):
        (point,) = history(aggregate=aggregate)["data"]["temperature"]
        assert (point["value"], point["count"]) == (pytest.approx(expected), BATCH)


def test_the_same_values_are_current_in_telemetry_and_a_data_source(day, sensor, readings, data):
    newest_at, newest = readings[-1]
    current = data(day.program.get(f"/devices/{sensor}/current"))["metrics"]["temperature"]
    assert (current["timestamp"], current["value"]) == (newest_at, newest)
    assert data(day.program.get(f"/devices/{sensor}"))["current_values"] == {"temperature": newest}
    batch = data(day.program.post("/devices/current-batch", json={"device_ids": [sensor]}))
    assert batch["count"] == 1
    telemetry = data(day.program.get("/telemetry", params={"source": f"device:{sensor}", "metric": "temperature"}))
    assert pairs(telemetry["data"]) == readings
    sources = data(day.program.get("/data/sources", params={"source": sensor}))["data"]
    assert {row["id"] for row in sources} == {f"device:{sensor}:{name}" for name, _ in METRICS}
    assert newest in [row["current_value"] for row in sources if row["field"] == "temperature"]


def test_pictures_are_kept_as_files_and_come_back_as_they_were(day, sensor, history, data):
    text = base64.b64encode(PNG).decode()
    send(day, sensor, data, json={"temperature": 20.5, "image": f"data:image/png;base64,{text}"})
    send(day, sensor, data, content=PNG, headers={"content-type": "image/png"})
    described = (None, json.dumps({"temperature": 21.5, "door": "open"}), "application/json")
    send(day, sensor, data, files={"metadata": described, "photo": ("photo.png", PNG, "image/png")})
    assert [value for _, value in pairs(history()["data"]["temperature"])] == [21.5, 20.5]
    assert [value for _, value in pairs(history("door")["data"]["door"])] == ["open"]
    addresses = [value for name in ("image", "photo") for _, value in pairs(history(name)["data"][name])]
    assert len(addresses) >= 3
    for address in addresses:
        picture = day.device.get(address.removeprefix("/api"))
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
        assert picture.content == PNG


# ---- who may do what ------------------------------------------------------------------------------------------------


def test_a_key_may_do_what_its_scopes_say(day, refusal):
    assert refusal(day.program.get("/settings")) == (403, "INSUFFICIENT_PERMISSIONS")
    assert refusal(day.server.client(x_api_key="nmk_0").get("/devices")) == (401, "INVALID_API_KEY")
    assert refusal(day.server.client().get("/devices")) == (401, "UNAUTHORIZED")


def test_an_expired_key_is_refused(day, refusal):
    wish = {"name": "for now", "scopes": ["devices:read"], "expires_in_days": 1 / SECONDS_A_DAY}
    key = day.admin.post("/auth/keys", json=wish).json()["data"]["api_key"]
    program, deadline = day.server.client(x_api_key=key), time.monotonic() + 10
    assert program.get("/devices").status_code == 200
    while (answer := program.get("/devices")).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert refusal(answer) == (401, "API_KEY_EXPIRED")


def test_a_viewer_reads_and_cannot_write(day, sensor, data, refusal):
    vera = {"username": "vera", "password": "balcony-1"}
    assert data(day.admin.post("/users", json={**vera, "role": "viewer"}))["user"]["role"] == "viewer"
    viewer = day.server.user(**vera)
    assert data(viewer.get(f"/devices/{sensor}"))["device_id"] == sensor
    for answer in (
        viewer.delete(f"/devices/{sensor}"),
        viewer.put(f"/devices/{sensor}", json={"name": "mine"}),
        viewer.put("/settings/timezone", json={"timezone": "Europe/Berlin"}),
        viewer.post("/auth/keys", json={"name": "mine"}),
        viewer.get("/users"),
    ):
        assert refusal(answer) == (403, "INSUFFICIENT_PERMISSIONS")
    assert data(day.program.get(f"/devices/{sensor}"))["name"] == "sensor"


def test_a_new_password_ends_the_sessions(day, data, refusal):
    paul, secret = {"username": "paul", "password": "garden-1"}, "orchard-2"
    data(day.admin.post("/users", json={**paul, "role": "user"}))
    here, there = day.server.user(**paul), day.server.user(**paul)
    change = {"old_password": paul["password"], "new_password": secret}
    assert data(there.get("/auth/me"))
    data(here.post("/auth/change-password", json=change))
    for session in (here, there):
        assert refusal(session.get("/auth/me")) == (401, "INVALID_TOKEN")
    assert refusal(day.server.client().post("/auth/login", json=paul))[0] == 401
    assert data(day.server.user("paul", secret).get("/auth/me"))["username"] == "paul"


# ---- starting again -------------------------------------------------------------------------------------------------


def test_a_restart_keeps_everything(day, sensor, readings, history, data):
    kept = {"enabled": True, "interval_hours": 2, "default_retention": 100, "image_retention": None}
    data(day.admin.put("/settings/retention", json=kept))
    data(day.admin.put("/settings/timezone", json={"timezone": "Europe/Berlin"}))
    image = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    send(day, sensor, data, json={"image": image})
    ((_, address),) = pairs(history("image")["data"]["image"])
    before = {path: data(day.program.get(path)) for path in ("/devices", "/devices/types", f"/devices/{sensor}")}

    day.restart()

    for path, was in before.items():
        now = data(day.program.get(path))
        assert without_presence(now) == without_presence(was), path
    assert pairs(history()["data"]["temperature"]) == readings[::-1]
    assert day.device.get(address.removeprefix("/api")).content == PNG
    admin = day.admin
    assert data(admin.get("/settings/retention")) == kept
    assert data(admin.get("/settings/timezone"))["timezone"] == "Europe/Berlin"
    assert [key["name"] for key in data(admin.get("/auth/keys"))["keys"]].count("integration") == 1
    assert data(admin.get("/auth/me"))["role"] == "admin"
    send(day, sensor, data, json={"temperature": 40.5})
    assert pairs(history(limit=1)["data"]["temperature"])[0][1] == 40.5


def without_presence(value):
    """An answer without what is of this run: who was seen since it began."""
    if isinstance(value, dict):
        gone = ("status", "online", "last_seen", "transport_changed_at")
        return {name: without_presence(item) for name, item in value.items() if name not in gone}
    return [without_presence(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("command", [("user", "list"), ("user", "add", "eve"), ("key", "list"), ("key", "create", "k")])
def test_commands_say_in_one_sentence_that_the_data_is_in_use(day, command):
    done = day.home.run(*command, *(["--password-stdin"] if "add" in command else []))
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert f"is in use by the process {day.server.popen.pid}" in sentence
    assert done.stdout == ""
    assert "eve" not in day.admin.get("/users").text
