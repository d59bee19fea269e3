"""`rollgraph watch`: rollouts on their way, for a person at a terminal and for a script that waits.

What is known is a `Board`. Events change it, a `Goal` judges it, and a screen shows it.
"""
