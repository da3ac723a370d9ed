"""The noise schedule: Stable Diffusion's, predicting velocity."""

from diffusers import DDPMScheduler, PNDMScheduler

SHARED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
          "num_train_timesteps": 1000, "prediction_type": "v_prediction"}


def scheduler(purpose):
    if purpose == "training":
        return DDPMScheduler(**SHARED, clip_sample=False)
    return PNDMScheduler(**SHARED, skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False)
