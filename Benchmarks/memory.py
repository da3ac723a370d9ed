"""Runs a command and tells the most memory that it took: python memory.py COMMAND...

The process's proportional set size, mapped files included, is sampled from /proc (Linux)."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path


def main():
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
    folder = Path(f"/proc/{process.pid}")
    peak, resident = {"Pss": 0}, 0
    while process.poll() is None:
        try:
            sample = dict(re.findall(r"^(\w+):\s+(\d+) kB", (folder / "smaps_rollup").read_text(), re.M))
            resident = int(re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text())[1])
        except (OSError, TypeError):
            break
        if int(sample["Pss"]) > int(peak["Pss"]):
            peak = sample
        time.sleep(0.04)
    output = process.communicate()[0]
    told = {
        "peak_pss_gb": int(peak["Pss"]) / 1e6,
        "of_that_files_gb": int(peak.get("Pss_File", 0)) / 1e6,
        "peak_resident_gb": resident / 1e6,
    }
    if output.startswith("{"):
        told["estimated_gb"] = json.loads(output)["estimated_memory_bytes"] / 1e9
    print(json.dumps(told))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
