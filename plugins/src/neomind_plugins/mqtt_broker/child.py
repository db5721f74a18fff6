"""The process that the broker runs in: ``python child.py``, with the broker's configuration on standard input.

A line with the length of the configuration in bytes comes first. The parent then keeps the pipe open; when it closes,
because the parent closed it or because it is gone however it went, this process ends at once.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from pathlib import Path


def end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def config_file(text: bytes) -> tuple[Path, int]:
    """The configuration as a file that is never on a disk, because it has passwords; and its descriptor.

    The library tells formats by the name's ending, so the file in memory is pointed at by a link with one.
    """
    handle = os.memfd_create("broker")
    os.write(handle, text)
    path = Path(tempfile.mkdtemp(prefix="neomind-broker-")) / "broker.toml"
    path.symlink_to(f"/proc/self/fd/{handle}")
    return path, handle


def main() -> None:
    from iotcore.iotcore import IotCoreBroker

    text = sys.stdin.buffer.read(int(sys.stdin.buffer.readline()))
    threading.Thread(target=end_with_parent, daemon=True).start()
    # The broker reports every packet as an error record; handing those to Python costs more than routing the packet.
    logging.disable(logging.CRITICAL)
    path, handle = config_file(text)
    try:
        broker = IotCoreBroker(config_path=str(path))
    finally:
        path.unlink()
        path.parent.rmdir()
        os.close(handle)
    broker.run_forever()


if __name__ == "__main__":
    main()
