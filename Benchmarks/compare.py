"""Alternates two commands that answer each line "run" with a line of JSON, and prints the medians and their ratio.

    python compare.py ROUNDS 'COMMAND A' 'COMMAND B'
"""

import json
import shlex
import statistics
import subprocess
import sys


class Peer:
    def __init__(self, command):
        self.process = subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())["ready"]

    def run(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["seconds"]


def main():
    rounds, commands = int(sys.argv[1]), sys.argv[2:4]
    peers = [Peer(command) for command in commands]
    for peer in peers:
        peer.run()
    times = [[peer.run() for peer in peers] for _ in range(rounds)]
    for index, (peer, command) in enumerate(zip(peers, commands)):
        own = [pair[index] for pair in times]
        print(f"{'AB'[index]}: median {statistics.median(own):.3f} s, least {min(own):.3f} s, "
              f"ready after {peer.ready:.2f} s: {command}")
    print(f"A / B: median of pairs {statistics.median(a / b for a, b in times):.3f}")


if __name__ == "__main__":
    main()
