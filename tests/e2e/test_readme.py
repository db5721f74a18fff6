"""The commands of the README do what the README says, run in its order by a shell against a server it starts."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = "python3 -m venv .venv && .venv/bin/pip install ./core ./sdk ./plugins ./extensions/* ."
SERVE = ".venv/bin/neomind serve"
TEST = ".venv/bin/pip install tox && .venv/bin/tox -e all"
INSTALL_MAIL = ".venv/bin/pip install aiosmtpd"
PORT = "9375"
END = "the line is through, with"


def section(title):
    """The lines of the shell blocks under a heading."""
    text = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)[1]
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


class Shell:
    """Runs lines in one shell, as one types them: variables stay."""

    def __init__(self, directory, env):
        self._popen = subprocess.Popen(
            ["bash"],
            cwd=directory,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.run("set -o pipefail")
        self.run("trap 'kill $(jobs -p) 2> /dev/null' EXIT")  # what a line that failed left behind

    def run(self, line):
        """What the line prints; fails when it does not exit 0."""
        self._popen.stdin.write(f'{line}\nprintf "\\n{END} %s\\n" $?\n')
        self._popen.stdin.flush()
        printed = []
        for text in self._popen.stdout:
            if text.startswith(END):
                assert text.split()[-1] == "0", (line, text, printed)
                return "".join(printed).strip()
            printed.append(text)
        raise AssertionError(f"the shell ended at {line}")

    def close(self):
        self._popen.stdin.close()
        self._popen.stdout.close()
        self._popen.wait(10)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def answers(make_home):
    """What each line printed, and an empty line where a server was started."""
    port = free_port()
    home = make_home("readme", PORT=port)
    (home.directory / ".venv").symlink_to(sys.prefix)
    servers, printed = [home.serve(command=("bash", "-c", f"exec {SERVE}"))], []
    with closing(Shell(home.directory, home.env)) as shell:
        for line in section("The first five minutes"):
            if line.endswith(SERVE):
                assert servers[-1].stop(signal.SIGINT)[0] == 0
                servers.append(home.serve(command=("bash", "-c", f"exec env {line}")))
            printed.append((line, "" if line.endswith(SERVE) else shell.run(line.replace(PORT, port))))
    assert servers[-1].stop(signal.SIGINT)[0] == 0
    assert len(servers) == 2
    return printed


@pytest.fixture(scope="module")
def talk(make_home):
    """What each line about MQTT printed, after those of the first five minutes that make the variables."""
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto_pub is not installed (Debian: apt-get install mosquitto-clients)")
    port, broker = free_port(), free_port()
    home = make_home("readme-mqtt", PORT=port, NEOMIND_MQTT_BROKER__PORT=broker)
    (home.directory / ".venv").symlink_to(sys.prefix)
    (home.directory / "docs").symlink_to(ROOT / "docs")
    server, printed = home.serve(command=("bash", "-c", f"exec {SERVE}")), []
    before = [
        line for line in section("The first five minutes") if line.startswith(("N=", "TOKEN=")) or "/register" in line
    ]
    with closing(Shell(home.directory, home.env)) as shell:
        for line in [*before, *section("A device on MQTT")]:
            printed.append((line, shell.run(line.replace(PORT, port).replace("1883", broker))))
    assert server.stop(signal.SIGINT)[0] == 0
    return printed


@pytest.fixture(scope="module")
def told(talk):
    """``told("/control", 1)``: the JSON that the second line about MQTT with that text printed."""
    return lambda part, number=0: json.loads([text for line, text in talk if part in line][number])


@pytest.fixture(scope="module")
def answer(answers):
    """``answer("/webhook", 1)``: the JSON that the second line with that text printed."""
    return lambda part, number=0: json.loads([text for line, text in answers if part in line][number])


def test_what_the_lines_need_is_here():
    assert shutil.which("bash")
    assert shutil.which("curl")
    assert Path(sys.prefix, "bin", "neomind").exists()


def test_it_is_installed_served_and_tested_by_one_line_each():
    assert section("Install and serve") == [f"{INSTALL} && {SERVE}"]
    assert section("Test") == [TEST]


def test_the_port_and_the_directory_are_those_of_the_defaults():
    from neomind_core.host.config import HostConfig

    assert f"listens on port {PORT} and keeps everything in `{HostConfig().data_dir}/`" in README
    assert str(HostConfig().server.port) == PORT


def test_every_answer_is_in_the_envelope(answers):
    bodies = [json.loads(text) for line, text in answers if "json.tool" in line]
    assert len(bodies) >= 8
    for body in bodies:
        # More stands beside the data where older clients look for it at the top.
        assert set(body) >= ({"success", "data", "meta"} if body["success"] else {"success", "error"})


def test_just_the_two_answers_that_are_announced_are_errors(answers):
    refused = [line for line, text in answers if "json.tool" in line and not json.loads(text)["success"]]
    assert [bool(re.search("Cellar", line)) for line in refused] == [True, False]
    assert "/webhook" in refused[1]


def test_the_first_user_becomes_the_administrator(answer):
    assert answer("/health")["data"]["status"] == "ok"
    assert answer("/auth/register")["data"]["user"]["role"] == "admin"


def test_a_reading_is_there_as_soon_as_it_was_taken(answer):
    assert answer("/devices/types")["data"]["device_type"] == "room_sensor"
    assert answer('"device_id": "kitchen"')["data"]["added"] is True
    assert answer("/webhook")["data"]["device_id"] == "kitchen"
    assert [point["value"] for point in answer("/history")["data"]["data"]["temperature"]] == [21.5]


def test_what_is_installed_and_what_became_of_it(answers, answer):
    rows = answer("/extensions")["data"]
    assert {row["status"] for row in rows} == {"enabled"}
    table = next(text for line, text in answers if line.endswith("neomind plugins"))
    for row in rows:
        assert re.search(rf"^{row['name']}\s+enabled\s", table, re.MULTILINE)


def test_a_field_that_is_wrong_is_named(answer):
    error = answer("Cellar")["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["message"].startswith("connection_config: ")
    assert [detail["field"] for detail in error["details"]] == ["connection_config"]


def test_without_the_webhook_the_envelope_says_so_and_the_history_is_still_there(answer):
    assert answer("/webhook", 1)["error"]["code"] == "NOT_FOUND"
    assert answer("/history", 1)["data"]["data"] == answer("/history")["data"]["data"]


def test_an_unknown_device_is_a_draft_and_then_has_a_history(told):
    assert [draft["device_id"] for draft in told("/drafts ")["data"]["items"]] == ["greenhouse-7"]
    assert told("/approve")["data"]["registered"] is True
    assert [point["value"] for point in told("/history")["data"]["data"]["moisture"]] == [41.5]


def test_it_is_seen_live(talk, told):
    frames = next(text for line, text in talk if line == "cat frames.txt").splitlines()
    assert frames[0] == "watching"
    assert all(frame.startswith("DeviceMetric ") for frame in frames[1:])
    assert told("/current")["data"]["metrics"]["moisture"]["value"] == 39.0


def test_commands_are_checked_and_arrive(talk, told):
    refused = told("/control")["error"]
    assert refused["code"] in ("BAD_REQUEST", "VALIDATION_ERROR")
    assert "seconds" in refused["message"]
    assert told("/control", 1)["data"]["sent"] is True
    arrived = json.loads(next(text for line, text in talk if line == "cat command.txt"))
    assert arrived["params"] == {"seconds": 20}


@pytest.fixture(scope="module")
def alarm(make_home):
    """What each line about rules printed, after those of the first five minutes that make the kitchen."""
    port, sink = free_port(), free_port()
    home = make_home("readme-rules", PORT=port)
    (home.directory / ".venv").symlink_to(sys.prefix)
    (home.directory / "docs").symlink_to(ROOT / "docs")
    server, printed = home.serve(command=("bash", "-c", f"exec {SERVE}")), []
    first = section("The first five minutes")
    before = first[: next(number for number, line in enumerate(first) if "/history" in line)]
    with closing(Shell(home.directory, home.env)) as shell:
        for line in [*before, *section("A rule that tells somebody")]:
            printed.append((line, shell.run(line.replace(PORT, port).replace("9900", sink))))
    assert server.stop(signal.SIGINT)[0] == 0
    return printed


@pytest.mark.needs("channel_webhook")
def test_a_rule_says_what_it_sees_and_then_tells_somebody(alarm):
    def told(part, number=-1):
        return json.loads([text for line, text in alarm if part in line][number])

    assert told("/messages/channels")["success"]
    [leaf] = told("/test ")["data"]["conditions"]
    assert (leaf["value"], leaf["met"]) == (21.5, False)
    notified = json.loads(next(text for line, text in alarm if line == "cat notified.txt"))
    assert notified["message"] == "It is 34.5 degrees in the kitchen"
    [message] = told("$N/messages -H")["data"]["messages"]
    assert message["id"] == notified["id"]
    assert told("/trace")["success"]


@pytest.fixture(scope="module")
def mailed(make_home):
    """What each line about e-mail printed, after those of the first five minutes that make the kitchen."""
    port, mail = free_port(), free_port()
    home = make_home("readme-mail", PORT=port)
    (home.directory / ".venv").symlink_to(sys.prefix)
    server, printed = home.serve(command=("bash", "-c", f"exec {SERVE}")), []
    first = section("The first five minutes")
    before = first[: next(number for number, line in enumerate(first) if "/history" in line)]
    with closing(Shell(home.directory, home.env)) as shell:
        for line in [*before, *section("The same by e-mail")]:
            if line != INSTALL_MAIL:  # it is installed, and nothing is fetched here
                printed.append((line, shell.run(line.replace(PORT, port).replace("9925", mail))))
    assert server.stop(signal.SIGINT)[0] == 0
    return printed


@pytest.mark.needs("channel_email")
def test_a_rule_sends_a_mail(mailed):
    assert INSTALL_MAIL in section("The same by e-mail")
    mail = next(text for line, text in mailed if line == "cat mail.txt")
    assert "To: anna@example.com" in mail
    assert "Subject: [Critical] Kitchen too cold" in mail
    assert "It is 4.5 degrees in the kitchen" in mail
    assert all(json.loads(text)["success"] for line, text in mailed if "json.tool" in line)


@pytest.fixture(scope="module")
def looked(make_home):
    """What each line about agents printed, after those of the first five minutes that make the kitchen."""
    port, model = free_port(), free_port()
    home = make_home("readme-agents", PORT=port)
    (home.directory / ".venv").symlink_to(sys.prefix)
    (home.directory / "docs").symlink_to(ROOT / "docs")
    server, printed = home.serve(command=("bash", "-c", f"exec {SERVE}")), []
    first = section("The first five minutes")
    before = first[: next(number for number, line in enumerate(first) if "/history" in line)]
    with closing(Shell(home.directory, home.env)) as shell:
        for line in [*before, *section("An agent that looks every minute")]:
            printed.append((line, shell.run(line.replace(PORT, port).replace("9910", model))))
    assert server.stop(signal.SIGINT)[0] == 0
    return printed


@pytest.mark.needs("agents", "llm", "llm_openai")
def test_an_agent_reads_and_raises_a_message(looked):
    answered = [json.loads(text) for line, text in looked if "json.tool" in line]
    assert all(answer["success"] for answer in answered)
    run, listed, messages = (answer["data"] for answer in answered[-3:])
    assert (run["status"], run["has_error"]) == ("Completed", False)
    assert [one["status"] for one in listed["executions"]] == ["Completed"]
    [message] = messages["messages"]
    assert message["title"] == "The kitchen in the last hour"
    assert "21.5" in message["message"]


def test_the_folders_it_tells_of_are_there():
    folders = re.findall(r"^\| `([a-z/.]+)` \|", README, re.MULTILINE)
    assert len(folders) >= 6
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []
