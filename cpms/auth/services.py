"""Changing users and their sessions; signing in.

A password is hashed outside the transaction: hashing takes long on purpose, and nobody should wait for the write lock
meanwhile. So the verbs here take a hash, made before with `checked_hash`.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask_babel import gettext as _
from flask_babel import ngettext

from cpms.auth import queries, rules
from cpms.auth.models import SignInAttempt, Theme, User, UserSession
from cpms.core import clock
from cpms.core.db import db
from cpms.core.errors import Conflict, DomainError, Refused
from cpms.core.permissions import Role
from cpms.core.text import fold_name
from cpms.settings import queries as settings

LONGEST_SESSION = timedelta(hours=12)
KEEP_SESSIONS = timedelta(days=30)  # a screen known that long is not hindered by wrong tries elsewhere

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Compared for a name that nobody has, so that an unknown name takes as long as a known one.
_NOBODYS_HASH = "$argon2id$v=19$m=19456,t=2,p=1$barW+6Zd3HDVk0EXCXydDQ$QkBHJyaJCCcTqqsmJRg1VawDGskNubeVv9S2XKr+1hs"


class TooManyTries(DomainError):
    """Wrong so often that nobody may try for `wait`."""

    status = 429

    def __init__(self, wait: timedelta) -> None:
        super().__init__(_("Too many wrong tries. Please wait %(time)s, then try again.", time=_in_words(wait)))
        self.seconds = int(wait.total_seconds()) + 1


def _in_words(wait: timedelta) -> str:
    seconds = int(wait.total_seconds()) + 1
    if seconds <= 90:
        return ngettext("%(num)d second", "%(num)d seconds", seconds)
    if seconds <= 90 * 60:
        return ngettext("%(num)d minute", "%(num)d minutes", -(-seconds // 60))
    return ngettext("%(num)d hour", "%(num)d hours", -(-seconds // 3600))


def throttle_keys(username: str, *, address: str, screen: str | None) -> list[str]:
    """What a try counts against. `screen` is the token of a session that this very person had at this browser: there
    it counts for itself, so that somebody who guesses elsewhere cannot keep the person out."""
    if screen:
        return [f"screen:{queries.token_hash(screen)}"]
    return [rules.address_key(address), rules.name_key(username)]


def check_tries(keys: Iterable[str]) -> None:
    """Raise TooManyTries while one of the keys is blocked. Reads only."""
    now = clock.now()
    waits = [
        row.blocked_until - now
        for key in keys
        if (row := queries.attempt(key)) and row.blocked_until and row.blocked_until > now
    ]
    if waits:
        raise TooManyTries(max(waits))


def count_try(keys: Iterable[str]) -> None:
    """Count a try as wrong before its password is looked at: two hundred at once are then no more than one by one.
    The right password takes the count back."""
    keys = list(keys)
    check_tries(keys)
    for key in keys:
        row = queries.attempt(key)
        if row is None:
            row = SignInAttempt(key=key, failures=0)
            db.session.add(row)
        row.failures += 1
        wait = rules.wait_after(key, row.failures)
        row.blocked_until = clock.now() + wait if wait else None


def forget_tries(keys: Iterable[str]) -> None:
    """Somebody knew the password: start counting anew."""
    for key in keys:
        if row := queries.attempt(key):
            row.failures, row.blocked_until = 0, None


def password_fits(user: User | None, password: str) -> bool:
    """Whether this is the user's password. Takes as long for nobody and for somebody who left."""
    known = user is not None and user.active
    password_hash = user.password_hash if user is not None and known else _NOBODYS_HASH
    try:
        return _hasher.verify(password_hash, rules.composed(password)) and known
    except VerificationError:
        return False


def fresher_hash(user: User, password: str) -> str | None:
    """A new hash when the stored one was made with weaker costs than today's."""
    return hash_password(password) if _hasher.check_needs_rehash(user.password_hash) else None


def hash_password(password: str) -> str:
    return _hasher.hash(rules.composed(password))


def check_password(password: str, *, about: Iterable[str], field: str = "password") -> None:
    """Raise Refused, in a sentence, when the password is too weak for these people."""
    weak = rules.weakness(password, about=[*about, settings.current().clinic_name])
    if weak is rules.Weakness.SHORT:
        raise Refused(
            _("Please take at least %(n)d characters. Several words are easy to keep in mind.", n=rules.SHORTEST),
            field=field,
        )
    if weak is rules.Weakness.LONG:
        raise Refused(_("Please take at most %(n)d characters.", n=rules.LONGEST), field=field)
    if weak is rules.Weakness.FORESEEABLE:
        raise Refused(
            _(
                "This is easy to guess: it is made of common words, names, repetitions or rows of keys. "
                "Four or more words that have nothing to do with each other are good."
            ),
            field=field,
        )


def open_session(
    user: User, *, fitting: str, ip: str, device: str, instead_of: str | None = None, new_hash: str | None = None
) -> str:
    """Sign somebody in and return the session's token, which is stored nowhere.

    `fitting` is the hash that the password was compared with: it must still hold. `instead_of` is the token that the
    browser had before; it is of no more use.
    """
    if not user.active or user.password_hash != fitting:
        raise Conflict(_("Your account was changed at this very moment. Please sign in again."))
    token = secrets.token_urlsafe(32)
    now = clock.now()
    if instead_of:
        end_session_with(instead_of)
    if new_hash:
        user.password_hash = new_hash
    user.last_login_at = now
    db.session.add(
        UserSession(
            token_hash=queries.token_hash(token),
            user_id=user.id,
            last_seen_at=now,
            expires_at=now + LONGEST_SESSION,
            ip=ip[:45],
            device=device[:200],
        )
    )
    return token


def end_session(session: UserSession) -> None:
    if session.ended_at is None:
        session.ended_at = clock.now()


def end_session_with(token: str) -> None:
    """End the session of that token, if there is one."""
    if session := queries.session_with(token):
        end_session(session)


def end_sessions(user: User, *, but: int | None = None) -> None:
    """End every session of a user, but the one that is named."""
    for session in queries.unended_sessions(user.id):
        if session.id != but:
            end_session(session)


def end_all_sessions() -> None:
    """Everybody signs in again."""
    for row in queries.all_open_sessions():
        end_session(row)


def see(session: UserSession) -> None:
    """Somebody is there: the screen stays awake."""
    if session.ended_at is None:
        session.last_seen_at = clock.now()


def forget_sessions() -> None:
    """Sessions and counters that have been of no use for a month go."""
    before = clock.now() - KEEP_SESSIONS
    for row in (*queries.old_sessions(before), *queries.old_attempts(before)):
        db.session.delete(row)


def create_user(
    *,
    username: str,
    email: str,
    display_name: str,
    role: Role,
    password_hash: str,
    color: str = "#0f766e",
    is_provider: bool = False,
    must_change_password: bool = True,
) -> User:
    """Somebody new works here."""
    _check_free(username=username, email=email)
    user = User(
        username=username,
        username_key=fold_name(username),
        email=email,
        email_key=fold_name(email),
        display_name=display_name,
        role=role,
        password_hash=password_hash,
        color=color,
        is_provider=is_provider,
        must_change_password=must_change_password,
    )
    db.session.add(user)
    db.session.flush()
    return user


def update_user(
    user: User, *, seen: int, username: str, email: str, display_name: str, role: Role, color: str, is_provider: bool
) -> None:
    """Store what the owner's form says. With a new role the user signs in anew."""
    user.expect_version(seen)
    _check_free(username=username, email=email, but=user)
    if role is not Role.OWNER:
        _check_not_last_owner(user)
    if role is not user.role:
        end_sessions(user)
    _edited(
        user,
        username=username,
        username_key=fold_name(username),
        email=email,
        email_key=fold_name(email),
        display_name=display_name,
        role=role,
        color=color,
        is_provider=is_provider,
    )


def update_profile(user: User, *, seen: int, display_name: str, email: str) -> None:
    """What everybody may change about themselves."""
    user.expect_version(seen)
    _check_free(email=email, but=user)
    _edited(user, display_name=display_name, email=email, email_key=fold_name(email))


def change_password(user: User, password_hash: str, *, session_id: int) -> None:
    """A password of one's own; every other screen is signed out."""
    user.password_hash = password_hash
    user.must_change_password = False
    end_sessions(user, but=session_id)


def reset_password(user: User, password_hash: str) -> None:
    """A password for one time, from the owner. Who had the old one is out at once, and nobody has to wait any more."""
    _check_works_here(user)
    user.password_hash = password_hash
    user.must_change_password = True
    end_sessions(user)
    forget_tries([rules.name_key(user.username)])


REVERSIBLE = frozenset(
    {"username", "email", "display_name", "role", "color", "is_provider", "active", "theme", "language"}
)  # never a password


def put_back(user: User, columns: Mapping[str, Any]) -> None:
    """Earlier values of the trail, under the rules of the owner's form: names stay unique, an owner stays."""
    username, email = columns.get("username", user.username), columns.get("email", user.email)
    _check_free(username=username, email=email, but=user)
    role, active = columns.get("role", user.role), columns.get("active", user.active)
    if not active or role is not Role.OWNER:
        _check_not_last_owner(user)
    if not active or role is not user.role:
        end_sessions(user)
    _edited(user, **columns, username_key=fold_name(username), email_key=fold_name(email))


def set_theme(user: User, theme: Theme) -> None:
    user.theme = theme


def set_language(user: User, language: str) -> None:
    """Which language they read; none: the clinic's."""
    user.language = language


def deactivate(user: User) -> None:
    """Somebody left: the name stays on what was written, the screens are signed out at once."""
    _check_not_last_owner(user)
    _edited(user, active=False)
    end_sessions(user)


def reactivate(user: User) -> None:
    _edited(user, active=True)


def _edited(user: User, **columns: Any) -> None:
    """Change columns that stand in forms; the row's version grows by hand (see the model)."""
    changed = {name: value for name, value in columns.items() if getattr(user, name) != value}
    for name, value in changed.items():
        setattr(user, name, value)
    if changed:
        user.row_version += 1


def _check_works_here(user: User) -> None:
    if not user.active:
        raise Refused(_("%(name)s does not work here any more. Let them back in first.", name=user.display_name))


def _check_free(*, email: str, username: str | None = None, but: User | None = None) -> None:
    """User names and e-mail addresses are unique, upper or lower case; those who left keep theirs."""
    if username is not None and queries.user_named(username) not in (None, but):
        raise Refused(_("Somebody has this user name already. Please take another one."), field="username")
    if queries.user_with_email(email) not in (None, but):
        raise Refused(_("Somebody has this e-mail address already."), field="email")


def _check_not_last_owner(user: User) -> None:
    if queries.active_owners() == [user]:
        raise Refused(
            _("%(name)s is the only owner. Make somebody else an owner first.", name=user.display_name), field="role"
        )


def words_about(user: User) -> list[str]:
    """What a password of this person must not be made of."""
    return [user.username, user.display_name, *user.email.split("@")]
