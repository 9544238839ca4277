"""Where two kinds of records disagree: a use without an approval, a dose beyond its label, a harm without a warning.

In come the records of one treatment and condition, out come gaps with the records on either side. One module a kind of
gap; what they share is in `base`. Which records are asked is decided in `reports/gaps.py`.
"""
