"""Failures on purpose: what can be made to fail, when, by whom, and what came of it.

A fault is an entry of a scenario's `faults`; its kind is a file of `kinds` and a line in its registry. A driver injects
and lifts faults while the stream runs; `measures` says afterwards what each of them did.
"""
