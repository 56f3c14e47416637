"""`python -m tests.client.sending URL TOKEN GROUP PARALLEL FOLDER`: the uploader as a process that tests can end."""

from __future__ import annotations

import sys
from pathlib import Path

from satchel.api import Api
from satchel.transfer import LocalFile, Uploader


def main() -> None:
    """Upload the folder and print the file IDs; 130 after Ctrl-C, 1 with the first problem if there is one."""
    url, token, group_id, parallel, folder = sys.argv[1:]
    files = [LocalFile(path, path.name, None, path.stat().st_size) for path in sorted(Path(folder).iterdir())]
    with Api(url, token) as api:
        try:
            results = Uploader(api, group_id=int(group_id), parallel=int(parallel)).upload(files)
        except KeyboardInterrupt:
            sys.exit(130)
    if problems := [result.problem for result in results if result.problem]:
        sys.exit(str(problems[0]))
    print(*(result.file_id for result in results), sep="\n")


if __name__ == "__main__":
    main()
