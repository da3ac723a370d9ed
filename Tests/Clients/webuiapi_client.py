"""The server as AUTOMATIC1111's: what the webuiapi package from PyPI does with it."""

import base64
import io
import json
import threading
import time

import requests
import webuiapi
from PIL import Image, ImageDraw

from server import Server


def check(condition, what):
    if not condition:
        raise SystemExit(f"webuiapi: not so: {what}")


def main():
    with Server() as server:
        api = webuiapi.WebUIApi(host="127.0.0.1", port=server.port)
        prompt = "a red apple on a yellow background"
        size = {"width": 128, "height": 128}

        # What there is to choose from.
        check("DPM++ 2M" in api.util_get_sampler_names(), "the samplers have A1111's names")
        check("karras" in api.util_get_scheduler_names(), "the schedulers have A1111's names")
        check(api.util_get_model_names() == ["demo"], api.util_get_model_names())
        check(api.util_get_current_model() == "demo", "the current model is told")
        check(len(api.get_upscalers()) >= 3, "upscalers")
        for read in (
            api.get_sd_vae, api.get_loras, api.get_embeddings, api.get_prompt_styles, api.get_memory,
            api.get_cmd_flags, api.get_hypernetworks, api.get_face_restorers, api.get_realesrgan_models,
            api.get_scripts, api.get_latent_upscale_modes,
        ):
            check(isinstance(read(), (list, dict)), read.__name__)
        api.refresh_checkpoints()

        # Text to image.
        made = api.txt2img(
            prompt=prompt, negative_prompt="dark", steps=4, seed=7, cfg_scale=5, sampler_name="DPM++ 2M",
            scheduler="Karras", batch_size=2, n_iter=1, **size)
        check(len(made.images) == 2 and made.images[0].size == (128, 128), "two pictures of the size")
        check(made.info["all_seeds"] == [7, 8], made.info["all_seeds"])
        check(made.info["sampler_name"] == "DPM++ 2M" and made.info["steps"] == 4, made.info)
        check("Schedule type: Karras" in made.info["infotexts"][0], made.info["infotexts"][0])
        check(made.images[0].text["parameters"] == made.info["infotexts"][0], "the settings are in the picture")
        again = api.txt2img(
            prompt=prompt, negative_prompt="dark", steps=4, seed=8, cfg_scale=5,
            sampler_name="DPM++ 2M Karras", **size)
        check(again.image.tobytes() == made.images[1].tobytes(), "a seed makes its picture again")
        other = api.txt2img(prompt=prompt, steps=4, seed=9, **size)
        check(other.image.tobytes() != again.image.tobytes(), "another seed makes another")

        # A second pass.
        large = api.txt2img(
            prompt=prompt, steps=3, seed=1, enable_hr=True, hr_scale=1.5, hr_second_pass_steps=2,
            hr_upscaler=webuiapi.HiResUpscaler.Latent, denoising_strength=0.6, **size)
        check(large.image.size == (192, 192), large.image.size)

        # From a picture, and a part of it.
        start = made.images[0].convert("RGB")
        changed = api.img2img(
            images=[start], prompt="a blue circle", steps=6, seed=2, denoising_strength=0.5, **size)
        check(changed.image.tobytes() != start.tobytes(), "the picture is changed")
        check(changed.parameters["init_images"] is None, "pictures are not sent back in parameters")
        mask = Image.new("L", (128, 128), 0)
        ImageDraw.Draw(mask).rectangle((64, 0, 127, 127), fill=255)
        painted = api.img2img(
            images=[start], mask_image=mask, mask_blur=0, inpainting_fill=1, inpaint_full_res=False,
            prompt="a blue circle", steps=6, seed=2, denoising_strength=0.9, **size)
        left = (0, 0, 60, 128)
        check(
            painted.image.crop(left).tobytes() == start.crop(left).tobytes(), "what is black stays")
        right = (68, 0, 128, 128)
        check(
            painted.image.crop(right).tobytes() != start.crop(right).tobytes(),
            "what is white is made anew")

        # Reading settings, making larger.
        info = api.png_info(made.images[0])
        check(isinstance(info.info, str) or isinstance(info.info, dict), "png_info answers")
        buffer = io.BytesIO()
        from PIL import PngImagePlugin
        notes = PngImagePlugin.PngInfo()
        notes.add_text("parameters", made.info["infotexts"][0])
        made.images[0].save(buffer, "PNG", pnginfo=notes)
        raw = requests.post(
            f"{server.address}/sdapi/v1/png-info",
            json={"image": base64.b64encode(buffer.getvalue()).decode()}).json()
        check(raw["info"] == made.info["infotexts"][0] and raw["parameters"]["Seed"] == "7", raw)
        enlarged = api.extra_single_image(start, upscaler_1=webuiapi.Upscaler.Lanczos, upscaling_resize=2)
        check(enlarged.image.size == (256, 256), enlarged.image.size)
        batch = api.extra_batch_images([start, start], upscaler_1=webuiapi.Upscaler.Lanczos, upscaling_resize=1.5)
        check([image.size for image in batch.images] == [(192, 192)] * 2, "two are made larger")

        # Options, sent back whole as Open WebUI does.
        options = api.get_options()
        options["CLIP_stop_at_last_layers"] = 2
        options["an_unknown_one"] = {"a": 1}
        api.set_options(options)
        check(api.get_options()["CLIP_stop_at_last_layers"] == 2, "an option is kept")
        api.set_options({"CLIP_stop_at_last_layers": 1, "sd_model_checkpoint": "demo"})

        # Progress, and an early end.
        results = []
        thread = threading.Thread(
            target=lambda: results.append(api.txt2img(prompt=prompt, steps=150, seed=3, n_iter=20, **size)))
        thread.start()
        seen = None
        for _ in range(400):
            progress = api.get_progress()
            if progress["current_image"] and progress["state"]["sampling_step"] > 0:
                seen = progress
                break
            time.sleep(0.02)
        check(seen and 0 < seen["progress"] < 1, "progress is told while it is made")
        check(Image.open(io.BytesIO(base64.b64decode(seen["current_image"]))).size == (128, 128), "with a preview")
        api.interrupt()
        thread.join(timeout=30)
        check(results and 0 < len(results[0].images) < 20, "interrupt ends it early")
        api.util_wait_for_ready(check_interval=0.1)

        # One picture is finished as it is; the job goes on.
        results.clear()
        thread = threading.Thread(
            target=lambda: results.append(api.txt2img(prompt=prompt, steps=60, seed=3, n_iter=3, **size)))
        thread.start()
        for _ in range(400):
            if api.get_progress()["state"]["sampling_step"] > 0:
                break
            time.sleep(0.02)
        api.skip()
        thread.join(timeout=60)
        check(results and len(results[0].images) == 3, "skip keeps what there is")
        check(results[0].info["all_seeds"] == [3, 4, 5], results[0].info["all_seeds"])

        # Errors in its shapes.
        def post(path, **body):
            return requests.post(f"{server.address}/sdapi/v1/{path}", json=body)

        wrong = post("txt2img", prompt="x", sampler_name="no such", **size)
        check(wrong.status_code == 404 and wrong.json()["detail"] == "Sampler not found", wrong.text)
        wrong = post("txt2img", prompt="x", steps="many")
        check(wrong.status_code == 422 and wrong.json()["detail"][0]["loc"] == ["body", "steps"], wrong.text)
        wrong = post("txt2img", prompt="x", script_name="no such")
        check(wrong.status_code == 422, wrong.text)
        check(post("img2img", prompt="x").status_code == 404, "no picture to start from")
        check(post("img2img", prompt="x", init_images=["%%%"]).status_code == 422, "no base64")
        check(
            post("img2img", prompt="x", init_images=["http://127.0.0.1/x.png"]).status_code == 422,
            "addresses are not followed")
        unknown = post("txt2img", prompt=prompt, steps=1, some_new_field=1, **size)
        check(unknown.status_code == 200, "unknown fields are passed over")
        check(isinstance(json.loads(unknown.json()["info"]), dict), "info is a text that is JSON")
    print("webuiapi: all as it should be")


main()
