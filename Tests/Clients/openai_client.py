"""The server as OpenAI's Images API: what the openai package from PyPI does with it."""

import base64
import io
import threading
import time

import openai
import requests
from PIL import Image, ImageDraw

from server import Server


def check(condition, what):
    if not condition:
        raise SystemExit(f"openai: not so: {what}")


def picture(data) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def png(image: Image.Image, name: str):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return (name, buffer.getvalue(), "image/png")


def cancel_next(address, headers):
    """Cancels the first job that there is to do."""
    while True:
        jobs = requests.get(f"{address}/api/v1/jobs?state=queued,running", headers=headers).json()["jobs"]
        if jobs:
            requests.post(f"{address}/api/v1/jobs/{jobs[0]['id']}/cancel", headers=headers)
            return
        time.sleep(0.02)


def main():
    token = "a-token-for-this-test"
    with Server("--token", token) as server:
        client = openai.OpenAI(base_url=f"{server.address}/v1", api_key=token, max_retries=0)
        native = {"easel": {"steps": 4, "seed": 7}}
        prompt = "a red apple on a yellow background"

        names = [model.id for model in client.models.list()]
        check(names == ["demo"], names)
        check(client.models.retrieve("demo").owned_by == "easel", "a model is told")

        made = client.images.generate(
            model="demo", prompt=prompt, n=2, size="128x128", response_format="b64_json", extra_body=native)
        images = [picture(item.b64_json) for item in made.data]
        check([image.size for image in images] == [(128, 128)] * 2, "two pictures of the size")
        check(images[0].tobytes() != images[1].tobytes(), "which differ")
        named = client.images.generate(
            model="dall-e-2", prompt=prompt, size="128x128", response_format="url", extra_body=native)
        answer = requests.get(named.data[0].url, headers={"Authorization": f"Bearer {token}"})
        file = Image.open(io.BytesIO(answer.content)).convert("RGB")
        check(file.tobytes() == images[0].tobytes(), "the address leads to the same picture")
        check(requests.get(named.data[0].url).status_code == 401, "not without the token")
        jpeg = client.images.generate(
            model="gpt-image-1", prompt=prompt, size="128x128", output_format="jpeg", extra_body=native)
        check(base64.b64decode(jpeg.data[0].b64_json)[:2] == b"\xff\xd8", "JPEG where it is asked for")

        # Transparent is edited.
        mask = Image.new("RGBA", (128, 128), (0, 0, 0, 255))
        ImageDraw.Draw(mask).rectangle((64, 0, 127, 127), fill=(0, 0, 0, 0))
        edited = client.images.edit(
            model="demo", image=png(images[0], "start.png"), mask=png(mask, "mask.png"),
            prompt="a blue circle", size="128x128", response_format="b64_json",
            extra_body={"easel": '{"steps": 6, "seed": 2}'})
        result = picture(edited.data[0].b64_json)
        left, right = (0, 0, 60, 128), (68, 0, 128, 128)
        check(result.crop(left).tobytes() == images[0].crop(left).tobytes(), "what is opaque stays")
        check(
            result.crop(right).tobytes() != images[0].crop(right).tobytes(),
            "what is transparent is made anew")
        varied = client.images.create_variation(
            image=png(images[0], "start.png"), n=1, size="128x128", response_format="b64_json")
        check(picture(varied.data[0].b64_json).size == (128, 128), "a variation")

        # A stream of previews.
        kinds = []
        stream = client.images.generate(
            model="gpt-image-1", prompt=prompt, size="128x128", stream=True, partial_images=2,
            extra_body={"easel": {"steps": 12, "seed": 7}})
        for event in stream:
            kinds.append(event.type)
            check(picture(event.b64_json).size == (128, 128), event.type)
        check(kinds[-1] == "image_generation.completed", kinds)
        check(kinds.count("image_generation.partial_image") == 2, kinds)

        # Errors as its client reads them.
        for wrong, kind in (
            ({"size": "7x7"}, openai.BadRequestError), ({"n": 11}, openai.BadRequestError),
            ({"model": "no-such-model"}, openai.BadRequestError),
            ({"extra_body": {"easel": {"stepz": 1}}}, openai.BadRequestError),
        ):
            try:
                client.images.generate(**{"model": "demo", "prompt": "x", **wrong})
                check(False, f"{wrong} is refused")
            except kind as error:
                check(error.body and error.body.get("message"), error)
        # By itself the client asks again where a server fails: not for what was cancelled.
        headers = {"Authorization": f"Bearer {token}"}
        count = lambda: len(requests.get(f"{server.address}/api/v1/jobs?limit=200", headers=headers).json()["jobs"])
        before = count()
        thread = threading.Thread(target=cancel_next, args=(server.address, headers))
        thread.start()
        try:
            openai.OpenAI(base_url=f"{server.address}/v1", api_key=token).images.generate(
                model="demo", prompt=prompt, n=10, size="128x128", extra_body={"easel": {"steps": 150}})
            check(False, "a job that was cancelled is not answered")
        except openai.BadRequestError as error:
            check(error.body["code"] == "cancelled", error)
        thread.join()
        check(count() == before + 1, "it was handed in once")
        try:
            openai.OpenAI(base_url=f"{server.address}/v1", api_key="wrong", max_retries=0).models.list()
            check(False, "a wrong token is refused")
        except openai.AuthenticationError:
            pass
    print("openai: all as it should be")


main()
