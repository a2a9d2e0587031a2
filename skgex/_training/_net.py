"""The skorch net whose module is an objective."""

import math

import torch
from skorch import NeuralNet
from torch import nn

from ..nn._draws import draws_from
from ._check_callbacks import failed

WARM_UP = 0.1
# Far above what healthy gradients reach; it only tames the rare explosive batch.
MAX_GRADIENT_NORM = 10.0


class _PassOn(nn.Module):
    """Stands in for the criterion: objectives return their loss themselves."""

    def forward(self, loss, target):
        return loss


class ObjectiveNet(NeuralNet):
    """A net whose module is an objective.

    skorch keeps the loop over epochs, the history and the callbacks; a step is ours,
    because a batch is not (X, y) and the loss must not be waited for on a GPU.
    """

    def __init__(self, module, *, weight_decay, encoder_lr, valid_seed, **kwargs):
        super().__init__(module, criterion=_PassOn, **kwargs)
        self.weight_decay = weight_decay
        self.encoder_lr = encoder_lr
        self.valid_seed = valid_seed

    def initialize_optimizer(self, triggered_directly=None):
        groups = _parameter_groups(
            self.module_, self.lr, self.encoder_lr, self.weight_decay
        )
        self.optimizer_ = torch.optim.AdamW(groups, lr=self.lr, fused=True)
        self.n_steps_ = 0
        return self

    def get_split_datasets(self, X, y=None, **_):
        self.total_steps_ = self.max_epochs * len(X[0])
        return X

    def get_iterator(self, dataset, training=False):
        return dataset

    def notify(self, method_name, **kwargs):
        getattr(self, method_name)(self, **kwargs)
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **kwargs)
            except Exception as error:
                # Those that users write raise what they like.
                if not type(callback).__module__.startswith("skorch."):
                    raise
                raise failed(callback, method_name, error) from error

    def infer(self, x, **_):
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            return self.module_(*x)

    def train_step(self, batch, **_):
        self._set_learning_rate()
        self.optimizer_.zero_grad()
        loss = self.infer(batch)
        if not loss.requires_grad:
            raise ValueError(
                "No weight is left to train: one of `callbacks` has frozen them all, "
                "or switched gradients off. Leave it out, or set max_epochs=0."
            )
        self._backward(loss)
        self._clip_gradients()
        self.notify(
            "on_grad_computed",
            named_parameters=self.module_.named_parameters(),
            batch=batch,
            training=True,
        )
        self.optimizer_.step()
        self.n_steps_ += 1
        self.module_.after_step(self.n_steps_ / self.total_steps_)
        return {"loss": loss, "y_pred": None}

    def _backward(self, loss):
        """Leave the gradients of a loss in the parameters."""
        loss.backward()

    @torch.no_grad()
    def validation_step(self, batch, **_):
        return {"loss": self.infer(batch), "y_pred": None}

    def run_single_epoch(self, iterator, training, prefix, step_fn, **_):
        if iterator is None:
            return
        self._set_training(training)
        if training:
            self._run_batches(iterator, training, prefix, step_fn)
        else:
            # The same corruptions each time, or the loss could not be compared.
            with draws_from(self.valid_seed):
                self._run_batches(iterator, training, prefix, step_fn)

    def evaluate(self, iterator):
        """Return the validation loss as of now."""
        self._set_training(False)
        total = count = 0.0
        with draws_from(self.valid_seed):
            for batch in iterator:
                total += len(batch[0]) * float(self.validation_step(batch)["loss"])
                count += len(batch[0])
        return total / count

    def _run_batches(self, iterator, training, prefix, step_fn):
        key, losses = f"{prefix}_loss", []
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch)
            losses.append(_value(step["loss"]))
            self.history.record_batch(key, losses[-1])
            self.history.record_batch(f"{prefix}_batch_size", len(batch[0]))
            self.notify("on_batch_end", batch=batch, training=training, **step)
        recorded = [b for b in self.history[-1]["batches"] if key in b]
        for row, loss in zip(recorded, self._numbers(losses), strict=True):
            row[key] = loss
        self.history.record(f"{prefix}_batch_count", len(losses))

    def _numbers(self, losses):
        """Return the losses of an epoch as numbers."""
        if losses and torch.is_tensor(losses[0]):
            # The device is waited for here, once in an epoch.
            return torch.stack(losses).tolist()
        return losses

    def _set_learning_rate(self):
        """Warm up linearly, then fall to zero along a cosine."""
        warm_up = max(1.0, WARM_UP * self.total_steps_)
        if self.n_steps_ < warm_up:
            factor = (self.n_steps_ + 1) / (warm_up + 1)
        else:
            done = (self.n_steps_ - warm_up) / max(1.0, self.total_steps_ - warm_up)
            factor = 0.5 * (1 + math.cos(math.pi * done))
        for group in self.optimizer_.param_groups:
            group["lr"] = factor * group["initial_lr"]

    def _clip_gradients(self):
        parameters = [p for p in self.module_.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm([p.grad for p in parameters])
        # To ask for the value would wait for a GPU, so there it is always scaled.
        if norm.is_cuda or norm > MAX_GRADIENT_NORM:
            nn.utils.clip_grads_with_norm_(parameters, MAX_GRADIENT_NORM, norm)


def _value(loss):
    """Return a loss as a number, or as a tensor where that would be to wait.

    On the CPU a tensor that is kept at each step comes to lie between the large ones,
    whose memory then cannot be used again as a whole: of 200 steps at 20,000 genes
    VIME would come to take 2 GB more.
    """
    loss = loss.detach()
    return loss if loss.is_cuda else loss.item()


def _parameter_groups(objective, lr, encoder_lr, weight_decay):
    """Weights decay; biases and the gains of normalisation layers do not."""
    encoder = {id(p) for p in objective.encoder.parameters()}
    groups = {}
    for parameter in objective.parameters():
        if parameter.requires_grad:
            rate = encoder_lr if id(parameter) in encoder else lr
            decay = weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": params, "lr": rate, "initial_lr": rate, "weight_decay": decay}
        for (rate, decay), params in groups.items()
    ]
