"""When Python looks for garbage, during which nobody is answered.

What nobody refers to any more is freed at once. Only what refers to each other has to be looked
for, and a whole look visits all that could do so: with 1,000 streams it was 770,000 objects and
0.4 s, in which everything that happened was told too late.
"""

import gc

# Objects that are new since the last look at the new ones: CPython 3.11 says 700, which is a look
# for every 10 events that are told. One at 5,000 takes 2 ms.
NEW = 5_000
# After so many of these also what outlived one of them (20 ms), and after so many of those all,
# if it is a quarter more by then.
YOUNG, OLD = 10, 10


def settle() -> None:
    """Called once all is built that stays as long as the process: no look visits it any more.

    That is the schema, the code and what it knows: 218,000 objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, YOUNG, OLD)
