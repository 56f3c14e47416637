"""Pages: logging in and out, the account with its password and its personal API tokens."""

from accounts.views.account import account, password_change
from accounts.views.logging_in import log_in, log_out
from accounts.views.tokens import token_make, token_revoke

__all__ = ["account", "log_in", "log_out", "password_change", "token_make", "token_revoke"]
