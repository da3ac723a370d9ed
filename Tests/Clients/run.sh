#!/usr/bin/env bash
# The server with the clients that people have: webuiapi, openai and schemathesis from PyPI. Needs Python; a few minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
environment=.build/clients
if [ ! -x $environment/bin/python ] || ! cmp -s Tests/Clients/requirements.txt $environment/requirements.txt; then
    python3 -m venv --clear $environment
    $environment/bin/pip install --quiet --requirement Tests/Clients/requirements.txt
    cp Tests/Clients/requirements.txt $environment/
fi
for client in webuiapi openai schemathesis; do
    $environment/bin/python Tests/Clients/${client}_client.py
done
