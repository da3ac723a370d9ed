#!/usr/bin/env bash
# Measures Easel against its peers on this machine; takes about an hour on two cores.
# PRECISION=f32|bf16|int8 (default f32; peers have bf16 for int8), STEPS (default 20), ROUNDS (default 3);
# SD_CLI=stable-diffusion.cpp's sd-cli, where it is to be one of the peers.
set -euo pipefail
cd "$(dirname "$0")/.."
precision=${PRECISION:-f32}
steps=${STEPS:-20}
rounds=${ROUNDS:-3}
peers=${precision/int8/bf16}
model=.build/benchmarks/random-sd15

Tests/Golden/python-environment.sh Tests/Golden/requirements.txt Benchmarks/requirements.txt
python=.venv/bin/python
swift build --configuration release --product UNetStep
[ -f $model/model_index.json ] || $python Benchmarks/random_model.py sd15 $model

echo "processor: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
echo "== one step of the U-Net, 512×512, guidance: A Easel, $precision, B OpenVINO's own conversion, $peers"
$python Benchmarks/compare.py 5 ".build/release/UNetStep $model/unet $precision" \
    "$python Benchmarks/unet_step_openvino.py $model $peers"
echo "== text to image, 512×512, $steps steps, $precision"
$python Benchmarks/text_to_image.py .build/release/easel $model --precision "$precision" --steps "$steps" \
    --rounds "$rounds"
$python Benchmarks/text_to_image.py .build/release/easel $model --peer genai --precision "$precision" \
    --steps "$steps" --rounds "$rounds"
if [ -n "${SD_CLI:-}" ]; then # Ten times as long.
    $python Benchmarks/text_to_image.py .build/release/easel $model --peer stable_diffusion_cpp \
        --precision "$precision" --steps "$steps" --rounds 1
fi
echo "== peak memory, mapped files included, 512×512, 1 step, $precision"
for mode in fast balanced minimal; do
    $python Benchmarks/memory.py .build/release/easel -m $model "a cat" -W 512 -H 512 --precision "$precision" --steps 1 \
        --memory $mode -o .build/benchmarks/memory.png --json
done
echo "== pictures of the demo model in other precisions"
$python Benchmarks/precision.py .build/release/easel
echo "== pictures of the demo model in fewer operations"
$python Benchmarks/precision.py .build/release/easel --steps 25 --precisions --options="--cache deep:2" \
    --options="--cache deep:3" --options="--token-merging 0.25" --options="--token-merging 0.5" \
    --options="--guidance-interval 0.2,1" --options="--fast" --options="--fast --precision bf16" \
    --options="--vae Models/demo/taesd_decoder.safetensors"
echo "== start to the demo model's picture, 20 steps"
for _ in 1 2 3; do
    /usr/bin/env bash -c 'time .build/release/easel "a red apple" -s 1 --steps 20 -q -o .build/benchmarks/demo.png' 2>&1 | grep real
done
echo "== easel --help"
for _ in 1 2 3; do /usr/bin/env bash -c 'time .build/release/easel --help >/dev/null' 2>&1 | grep real; done
