"""What callbacks of scikit-learn are told of a fit as a whole."""


class FitTasks:
    """Tell callbacks of scikit-learn that a fit begins, of its steps, and of its end.

    Parameters
    ----------
    estimator : estimator
        The estimator being fitted.
    X, y : array-like
        Its training data, as callbacks are shown them.
    max_subtasks : int
        How many steps there are, or epochs.
    """

    def __init__(self, estimator, X, y, max_subtasks):
        self.arguments = {"estimator": estimator, "X": X, "y": y}
        self.context = estimator._init_callback_context(max_subtasks=max_subtasks)
        self._begun = []
        self._begin(self.context)

    def step(self, name):
        """Return the context of a step that says itself when it begins and ends."""
        return self.context.subcontext(name)

    def begin(self, name, max_subtasks):
        """Return the context of a step that begins now, and ends with the fit."""
        task = self.context.subcontext(name, max_subtasks=max_subtasks)
        self._begin(task)
        return task

    def end(self, attributes):
        """End what has begun, with the fitted attributes."""
        for task in reversed(self._begun):
            task.call_on_fit_task_end(
                **self.arguments, reconstruction_attributes=attributes
            )

    def _begin(self, task):
        task.call_on_fit_task_begin(**self.arguments)
        self._begun.append(task)
