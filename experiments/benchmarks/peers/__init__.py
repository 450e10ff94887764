"""The training of each phenomenon as a user of PyTorch would write it, one short module each; PyTorch is optional.

A module has ``make(member)``, which returns a :class:`~experiments.benchmarks.peers.peer.Peer`: the parameters, the
loss of a batch and, where examples are fresh, their draw. What is common, the optimiser and the loop, is in
:mod:`experiments.benchmarks.peers.loop`. Where our objective has a form that a paper's reader would not expect, such as
Runge-Kutta steps, the peer has the same form, so that both do equal work.
"""
