"""Run by torchrun in test_processes.py: one process does not answer; the other must not wait for ever."""

import datetime
import sys
import time

from linne.fit import processes
from linne.records.errors import LostError

processes.ANSWERED_WITHIN = datetime.timedelta(seconds=5)
both = processes.join()
both.wait()
if both.first:
    try:
        both.wait()
    except LostError as error:
        print("lost", error.explained)  # noqa: T201
        sys.exit(3)
else:
    time.sleep(600)
