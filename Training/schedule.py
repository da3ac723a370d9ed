"""The noise schedule: Stable Diffusion's, predicting velocity."""

from diffusers import DDPMScheduler, DPMSolverMultistepScheduler

SHARED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
          "num_train_timesteps": 1000, "prediction_type": "v_prediction"}


def scheduler(purpose):
    if purpose == "training":
        return DDPMScheduler(**SHARED, clip_sample=False)
    # Multistep rules of order 4 overshoot where guidance is strong; this one of order 2 does not.
    return DPMSolverMultistepScheduler(**SHARED, steps_offset=1)
