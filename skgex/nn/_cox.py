"""Cox's partial likelihood, exact over the whole risk set, in linear time."""

import torch


class CoxLikelihood:
    """Partial likelihood of log risks, given who had the event and when.

    The negative logarithm is, over the events i and the risk sets R(t), who live to see
    time t, ::

        sum_i  log(sum_{j in R(t_i)} exp(r_j)) - r_i

    which is Breslow's form for tied events. In Efron's, the l-th of d events at one
    time (l from 0) takes l / d of these d events out of its risk set. With weights,
    sums are weighted, and each of the tied events has their mean weight, as in R's
    survival.

    Samples are sorted once, by stratum and falling time, so that each risk set is a
    running sum: no matrix of samples by samples. All sums are in double precision.

    Parameters
    ----------
    event : bool tensor of shape (n,)
        Whether the event was seen.
    time : tensor of shape (n,)
        Time of the event or of censoring. Only the order counts.
    strata : integer tensor of shape (n,) or None, default=None
        Samples are compared within strata only.
    weight : tensor of shape (n,) or None, default=None
        Weights, not negative.
    ties : {"efron", "breslow"}, default="efron"
        What is done about tied events.
    population : int or None, default=None
        Of how many samples these are a random batch. The risk set of an event is then
        estimated by the event itself, which is known to be in it, and by the others of
        the batch, each of which stands for ``(population - 1) / (n - 1)`` samples.
        Without that, gradients of small batches are biased more, as events make up too
        much of their own risk sets.

    Attributes
    ----------
    n_events : int
        Events of positive weight.

    References
    ----------
    Cox D.R. "Regression models and life-tables", JRSS B 34(2), 1972.
    Efron B. "The efficiency of Cox's likelihood function for censored data", JASA
    72(359), 1977. :doi:`10.1080/01621459.1977.10480613`

    Examples
    --------
    Equal risks: each order in which three die has a probability of 1 / 6.

    >>> import torch
    >>> from skgex.nn import CoxLikelihood
    >>> died = torch.tensor([True, True, True])
    >>> loss = CoxLikelihood(died, torch.tensor([3.0, 1.0, 2.0]))
    >>> round(float(loss(torch.zeros(3)).exp()), 3)
    6.0
    """

    def __init__(
        self,
        event,
        time,
        *,
        strata=None,
        weight=None,
        ties="efron",
        population=None,
    ):
        n_others = max(len(time) - 1, 1)
        self.inflation = 1.0 if population is None else (population - 1) / n_others
        weight = torch.ones_like(time) if weight is None else weight
        order = torch.argsort(time, descending=True, stable=True)
        starts = torch.ones_like(order, dtype=torch.bool)
        self.sizes = [len(time)]
        if strata is not None:
            order = order[torch.argsort(strata[order], stable=True)]
            stratum = strata[order]
            starts[1:] = stratum[1:] != stratum[:-1]
            self.sizes = torch.unique_consecutive(stratum, return_counts=True)[1]
            self.sizes = self.sizes.tolist()
        else:
            starts[1:] = False
        self.order, time = order, time[order]
        # Samples of one stratum and time form a group, with one risk set.
        begins = starts.clone()
        begins[1:] |= time[1:] != time[:-1]
        self.group = begins.cumsum(0) - 1
        self.n_groups = int(self.group[-1]) + 1
        self.group_sizes = [
            int(part[-1] - part[0]) + 1 for part in self.group.split(self.sizes)
        ]
        self.weight = weight.double()[order]
        self._make_terms(event[order] & (self.weight > 0), ties)

    def _make_terms(self, event, ties):
        """Make the terms of the likelihood, one for each event."""
        self.events = event.nonzero()[:, 0]
        self.n_events = len(self.events)
        self.event_group = group = self.group[self.events]
        self.event_weight = self.term_weight = self.weight[self.events]
        self.share = None
        deaths = self._by_group(group, torch.ones_like(self.event_weight))[group]
        if ties == "breslow" or not (deaths > 1).any():
            return
        # The events of a group follow each other among the events.
        first = torch.searchsorted(group, group)
        rank = torch.arange(self.n_events, device=group.device) - first
        self.share = rank / deaths
        self.term_weight = self._by_group(group, self.event_weight)[group] / deaths

    def __call__(self, risk):
        """Return the negative log partial likelihood, a sum over events.

        Parameters
        ----------
        risk : tensor of shape (n,)
            Log risks, in the order of the samples given.

        Returns
        -------
        loss : tensor of shape (), dtype float64
            Its gradient is known in closed form.
        """
        return _NegativeLogLikelihood.apply(risk, self)

    def value_and_gradient(self, risk):
        """Return the negative log partial likelihood and its gradient."""
        risk = risk.double()[self.order]
        shift = self._largest(risk)
        p = self.weight * (risk - shift).exp()
        left = self._in_terms(p)
        # Where the event itself is too small for a number, a step went much too far.
        logs = left.log().where(left > 0, torch.inf) + shift[self.events]
        value = (self.term_weight * logs - self.event_weight * risk[self.events]).sum()
        gradient = self._pulled(p, self.term_weight / left)
        gradient[self.events] -= self.event_weight
        return value, self._unsort(gradient)

    def hessian_product(self, risk):
        """Return the function that multiplies the Hessian at `risk` with a vector."""
        risk = risk.double()[self.order]
        p = self.weight * (risk - self._largest(risk)).exp()
        left = self._in_terms(p)
        slope = self.term_weight / left
        diagonal = self._pulled(p, slope)

        def product(vector):
            vector = vector[self.order]
            mean = self._in_terms(p * vector) / left
            return self._unsort(diagonal * vector - self._pulled(p, slope * mean))

        return product

    def risk_set_moments(self, risk, X):
        """Return mean and covariance of features in the risk set of each event.

        Parameters
        ----------
        risk : tensor of shape (n,)
            Log risks.
        X : tensor of shape (n, n_features), dtype float64
            Features.

        Returns
        -------
        rows : tensor of shape (n_events,)
            The sample that has each event.
        weights : tuple of tensor of shape (n_events,)
            Of the event, and of its term in the likelihood.
        mean : tensor of shape (n_events, n_features)
            In what the term has in its risk set, weighted by the hazards.
        covariance : tensor of shape (n_events, n_features, n_features)
            The same.
        """
        risk, X = risk.double()[self.order], X[self.order]
        p = self.weight * (risk - self._largest(risk)).exp()
        left = self._in_terms(p)

        def average(values):
            return self._in_terms(p * values) / left

        mean = torch.stack([average(x) for x in X.T], 1)
        products = [torch.stack([average(x * z) for z in X.T], 1) for x in X.T]
        covariance = torch.stack(products, 1) - mean[:, :, None] * mean[:, None]
        weights = self.event_weight, self.term_weight
        return self.order[self.events], weights, mean, covariance

    def _largest(self, risk):
        """Return for each sample the largest log risk of its stratum."""
        parts = risk.split(self.sizes)
        return torch.cat([part.max().expand(len(part)) for part in parts])

    def _in_terms(self, values):
        """Sum over what each term of the likelihood has in its risk set."""
        at_time = self._by_group(self.group, values)
        parts = at_time.split(self.group_sizes)
        at_risk = torch.cat([part.cumsum(0) for part in parts])
        out = at_risk[self.event_group]
        if self.share is not None:
            dead = self._by_group(self.event_group, values[self.events])
            out = out - self.share * dead[self.event_group]
        if self.inflation == 1:
            return out
        return self.inflation * out - self._excess() * values[self.events]

    def _pulled(self, p, slope):
        """Sum the slopes of the terms that have a sample in their risk set, times p."""
        parts = self._by_group(self.event_group, slope).split(self.group_sizes)
        over = torch.cat([part.flip(0).cumsum(0).flip(0) for part in parts])
        out = p * over[self.group]
        if self.share is not None:
            own = self._by_group(self.event_group, self.share * slope)
            out[self.events] -= p[self.events] * own[self.event_group]
        if self.inflation != 1:
            out *= self.inflation
            out[self.events] -= self._excess() * p[self.events] * slope
        return out

    def _excess(self):
        """Return by how much inflation counts each event too often in its own term."""
        # Of a tied event, the share that is left in the risk set: no more was inflated.
        left = 1.0 if self.share is None else 1 - self.share
        return (self.inflation - 1) * left

    def _by_group(self, group, values):
        return values.new_zeros(self.n_groups).index_add(0, group, values)

    def _unsort(self, values):
        return torch.empty_like(values).index_copy(0, self.order, values)


class _NegativeLogLikelihood(torch.autograd.Function):
    """Its gradient costs no more than the value, and one pass of autograd is saved."""

    @staticmethod
    def forward(ctx, risk, likelihood):
        value, gradient = likelihood.value_and_gradient(risk)
        ctx.save_for_backward(gradient.to(risk.dtype))
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        (gradient,) = ctx.saved_tensors
        return slope.to(gradient.dtype) * gradient, None
