"""Sends local files to the object store, straight through presigned URLs, several at once.

    uploader = Uploader(api, group_id=1, organism="ebola-sudan", parallel=8, on_event=print)
    uploaded = uploader.upload([LocalFile(path, "reads.fastq.gz", "rawReads", size)])
    settled = uploader.wait(uploaded)      # where one wants to know that they are verified

Nothing is kept locally: the server knows what it has, so the same call again, after whatever end, on whatever machine,
sends what is missing.
"""

from satchel.transfer.events import (
    Done,
    Event,
    Failed,
    LocalFile,
    Recognised,
    Retrying,
    Sent,
    Settled,
    Started,
    Uploaded,
)
from satchel.transfer.uploader import Uploader

__all__ = [
    "Done",
    "Event",
    "Failed",
    "LocalFile",
    "Recognised",
    "Retrying",
    "Sent",
    "Settled",
    "Started",
    "Uploaded",
    "Uploader",
]
