"""The programs beside which ours is measured, as their own users would write them; they know nothing of `app`."""
