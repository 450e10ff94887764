"""The atlas: an experiment of every phenomenon, learned on predicted, on one page.

* `entries`: which experiment stands for which phenomenon, its source, and what is predicted.
* `values`: the compared values of a run, as one labelled dataset for all runs.
* `page`: the page and its table.
"""
