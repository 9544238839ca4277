"""The calculator for reviewers: studies in a body, pooled; what is asked, what is answered."""
