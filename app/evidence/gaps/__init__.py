"""Gaps: contradictions between records, such as a use without an approval or a dose outside its label.

Input: the records of one treatment. Output: gaps, each with the records on its sides. One module for each subject;
shared classes and functions are in `base`. `reports/gaps.py` reads the records.
"""
