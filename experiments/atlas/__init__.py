"""The atlas: one experiment of every phenomenon, with learned against predicted values on one page.

* `entries`: the experiment that represents each phenomenon, its source, and the predicted quantities.
* `values`: the compared values of a run, as one labelled dataset for all runs.
* `page`: the page and its table.
"""
