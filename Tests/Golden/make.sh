#!/usr/bin/env bash
# Makes every golden file again. Needs Python 3.11 or later; the packages go into .venv/ (about 1 GB).
set -euo pipefail
cd "$(dirname "$0")"

./python-environment.sh requirements.txt
../../.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement k-diffusion.txt
# The models come before what is made with them.
for script in tokens.py noise.py samplers.py sigma_samplers.py brownian.py pictures.py models.py networks.py checkpoints.py quantized.py prompts.py compel_prompts.py pipelines.py image_to_image.py families.py family_sizes.py adapters.py saved_adapters.py inversions.py autoencoders.py hub.py; do
    echo "golden: $script"
    PYTHONWARNINGS=ignore ../../.venv/bin/python "$script"
done
