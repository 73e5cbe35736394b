"""People with an account, what they may see, and their sessions and tokens (DOMAIN §1)."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.audit import record
from core.db import Base, Instant
from core.errors import InputRejected, NotFound, Refused
from core.types import Level

LOCALES = ("zh_Hans_CN", "zh_Hant_TW", "en")
PASSWORD_MIN, PASSWORD_MAX = 12, 256
TOKEN_PREFIX = "bz_"


class Role(StrEnum):
    """What a person is to the system. Several grants may give several roles, each with its own scope."""

    UNIT_OFFICER = "UNIT_OFFICER"
    SUPERVISOR = "SUPERVISOR"
    REVIEWER = "REVIEWER"
    DIRECTOR = "DIRECTOR"
    FINANCE = "FINANCE"
    PERSONNEL = "PERSONNEL"
    AUDITOR = "AUDITOR"
    ADMINISTRATOR = "ADMINISTRATOR"


class User(Base):
    """An account."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))
    password: Mapped[str | None] = mapped_column(String(400))
    active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(String(16), default="zh_Hans_CN")
    wants_mail: Mapped[bool] = mapped_column(default=True)
    failed_login_count: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    grants: Mapped[list[Grant]] = relationship(back_populates="user", cascade="all, delete-orphan", lazy="selectin")


class Grant(Base):
    """A role over a subtree: of one unit (`unit_code`), or of one division (`division_code`) at one level.

    `level` NULL means every level below and is for auditors; an administrator's grant has neither scope.
    """

    __tablename__ = "account_grant"
    __table_args__ = (
        UniqueConstraint("user_id", "role", "division_code", "level", "unit_code"),
        CheckConstraint("role = 'ADMINISTRATOR' OR unit_code IS NOT NULL OR division_code IS NOT NULL", name="scope"),
        CheckConstraint(
            "level IS NOT NULL OR role IN ('AUDITOR', 'ADMINISTRATOR') OR unit_code IS NOT NULL", name="level"
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str] = mapped_column(String(24))
    division_code: Mapped[str | None] = mapped_column(String(32))
    level: Mapped[str | None] = mapped_column(String(16))
    unit_code: Mapped[str | None] = mapped_column(String(64))
    user: Mapped[User] = relationship(back_populates="grants")


class UserSession(Base):
    """A server-side session: a stolen cookie dies with its row."""

    __tablename__ = "account_session"
    sid_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class ApiToken(Base):
    """A bearer token of a person; only its hash is kept."""

    __tablename__ = "api_token"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True)
class GrantSpec:
    """A grant as asked for: role, and the subtree it covers (see `Grant`)."""

    role: str
    division_code: str | None = None
    level: str | None = None
    unit_code: str | None = None

    @property
    def text(self) -> str:
        """`ROLE`, `ROLE:unit=U1` or `ROLE:370100/CITY`: how trail and command line spell it."""
        if self.unit_code:
            return f"{self.role}:unit={self.unit_code}"
        if self.division_code:
            return f"{self.role}:{self.division_code}/{self.level or '*'}"
        return self.role


def parse_grant(text: str) -> GrantSpec:
    """`ROLE`, `ROLE:unit=CODE`, `ROLE:DIVISION/LEVEL` or `ROLE:DIVISION/*` (auditors). Errors: InputRejected."""
    role, _, scope = text.strip().partition(":")
    if scope.startswith("unit="):
        return checked_grant(GrantSpec(role, unit_code=scope.removeprefix("unit=")))
    division, _, level = scope.partition("/")
    return checked_grant(GrantSpec(role, division or None, None if level in ("", "*") else level))


def checked_grant(grant: GrantSpec) -> GrantSpec:
    """The same grant, or InputRejected with the sentence that says what is missing."""
    if grant.role not in set(Role):
        raise InputRejected(f"没有角色 {grant.role}；可用的有 {'、'.join(Role)}")
    if grant.level is not None and grant.level not in set(Level):
        raise InputRejected(f"没有层级 {grant.level}；可用的有 {'、'.join(Level)}")
    if grant.role == Role.ADMINISTRATOR:
        if grant.unit_code or grant.division_code or grant.level:
            raise InputRejected("管理员角色不带单位、区划或层级")
        return grant
    if bool(grant.unit_code) == bool(grant.division_code):
        raise InputRejected("须填写单位或区划，二者选一")
    if grant.division_code and not re.fullmatch(r"\d{6}(\d{3})?", grant.division_code, re.ASCII):
        raise InputRejected("区划代码须为 6 位或 9 位数字")
    if grant.role == Role.UNIT_OFFICER and not grant.unit_code:
        raise InputRejected("单位经办人的角色须指定单位")
    if grant.unit_code and grant.level and grant.role != Role.SUPERVISOR:
        raise InputRejected("指定单位的角色不带层级，只有主管部门可另授所管的其他层级")
    if grant.division_code and not grant.level and grant.role != Role.AUDITOR:
        raise InputRejected("按区划授予的角色须指定层级，只有审计可看所有层级")
    return grant


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    """Argon2id with 64 MiB, 3 passes, 4 lanes (RFC 9106, second recommended option)."""
    return PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _prepared(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, login: str) -> None:
    """Errors: InputRejected with the sentence a person can act on."""
    text = _prepared(password)
    if not PASSWORD_MIN <= len(text) <= PASSWORD_MAX:
        raise InputRejected("密码须为 12 至 256 个字符")
    if login.casefold() in text.casefold() or len(set(text)) < 5:
        raise InputRejected("密码不得包含登录名，且至少要有五个不同的字符")


def verify_password(user: User | None, password: str) -> bool:
    """Whether the password is this person's. Nobody and a person without a password cost the same time."""
    stored = user.password if user is not None and user.password else None
    try:
        _hasher().verify(stored or _nobodys_hash(), _prepared(password[: PASSWORD_MAX * 4]))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def find_user(session: Session, login: str) -> User | None:
    """The account of a login, whatever its case; None when there is none."""
    return session.scalar(select(User).where(User.login == login.strip().casefold()))


def get_user(session: Session, login: str) -> User:
    """The account of a login. Errors: NotFound."""
    user = find_user(session, login)
    if user is None:
        raise NotFound(f"没有账号 {login.strip()[:64]}")
    return user


def create_user(
    session: Session,
    *,
    login: str,
    email: str,
    display_name: str,
    grants: Sequence[GrantSpec],
    actor: str,
    now: datetime,
    password: str | None = None,
    locale: str = "zh_Hans_CN",
    wants_mail: bool = True,
) -> User:
    """Make an account with its grants; without a password nobody can log in yet. Errors: InputRejected, Refused."""
    login, email = login.strip().casefold(), email.strip()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,63}", login):
        raise InputRejected("登录名须为 2 至 64 个小写字母、数字或 . _ -")
    if not re.fullmatch(r"[^@\s<>\"']{1,64}@[^@\s<>\"']{1,250}", email):
        raise InputRejected("电子邮箱地址不正确")
    if not display_name.strip() or len(display_name.strip()) > 200:
        raise InputRejected("姓名或称谓须为 1 至 200 个字符")
    if locale not in LOCALES:
        raise InputRejected("没有这种界面语言")
    if password is not None:
        check_password(password, login)
    if session.scalar(select(func.count()).select_from(User).where(or_(User.login == login, User.email == email))):
        raise Refused("登录名或电子邮箱已有账号使用")
    user = User(
        login=login,
        email=email,
        display_name=display_name.strip(),
        password=_hasher().hash(_prepared(password)) if password is not None else None,
        active=True,
        locale=locale,
        wants_mail=wants_mail,
        failed_login_count=0,
        created_at=now,
        grants=_grants(grants),
    )
    session.add(user)
    session.flush()
    record(session, actor=actor, action="account_created", subject=login, now=now, grants=[g.text for g in grants])
    return user


def _grants(grants: Sequence[GrantSpec]) -> list[Grant]:
    return [
        Grant(role=g.role, division_code=g.division_code, level=g.level, unit_code=g.unit_code)
        for g in dict.fromkeys(checked_grant(grant) for grant in grants)
    ]


def grant_specs(user: User) -> list[GrantSpec]:
    """A person's grants as values, in a fixed order."""
    specs = (GrantSpec(g.role, g.division_code, g.level, g.unit_code) for g in user.grants)
    return sorted(specs, key=lambda grant: grant.text)


def set_password(session: Session, user: User, password: str, *, actor: str, now: datetime) -> None:
    """A new password; every session of the person ends, and a lock is lifted. Errors: InputRejected."""
    check_password(password, user.login)
    user.password = _hasher().hash(_prepared(password))
    user.failed_login_count, user.locked_until = 0, None
    end_sessions(session, user, now)
    record(session, actor=actor, action="account_password_set", subject=user.login, now=now)


def disable(session: Session, user: User, *, actor: str, now: datetime) -> None:
    """Nobody gets in with this account any more: its sessions and tokens end, and enabling revives none of them."""
    _keep_one_administrator(session, user)
    user.active = False
    end_sessions(session, user, now)
    session.execute(
        update(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None)).values(revoked_at=now)
    )
    record(session, actor=actor, action="account_disabled", subject=user.login, now=now)


def enable(session: Session, user: User, *, actor: str, now: datetime) -> None:
    """The account may log in again, with its password; old sessions and tokens stay dead."""
    user.active, user.failed_login_count, user.locked_until = True, 0, None
    record(session, actor=actor, action="account_enabled", subject=user.login, now=now)


def change_grants(session: Session, user: User, grants: Sequence[GrantSpec], *, actor: str, now: datetime) -> None:
    """Replace a person's grants; their sessions end, so that no page of the old role stays open."""
    if not any(grant.role == Role.ADMINISTRATOR for grant in grants):
        _keep_one_administrator(session, user)
    before = [grant.text for grant in grant_specs(user)]
    user.grants.clear()
    session.flush()
    user.grants.extend(_grants(grants))
    end_sessions(session, user, now)
    after = [grant.text for grant in grant_specs(user)]
    record(
        session, actor=actor, action="account_grants_changed", subject=user.login, now=now, before=before, after=after
    )


def _keep_one_administrator(session: Session, user: User) -> None:
    others = (
        select(func.count(User.id.distinct()))
        .join(Grant)
        .where(Grant.role == Role.ADMINISTRATOR, User.active.is_(True), User.id != user.id)
    )
    if any(grant.role == Role.ADMINISTRATOR for grant in user.grants) and not session.scalar(others):
        raise Refused("这是最后一个可用的管理员账号")


def end_sessions(session: Session, user: User, now: datetime) -> None:
    """Revoke every live session of a person."""
    session.execute(
        update(UserSession)
        .where(UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.flush()


def hash_secret(secret: str) -> str:
    """What tables keep of a random session id or token: its SHA-256, hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_token(session: Session, user: User, *, label: str, actor: str, now: datetime) -> str:
    """A new bearer token, shown this once; only its hash is kept. Errors: Refused for a disabled account."""
    if not user.active:
        raise Refused("账号已停用")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiToken(user_id=user.id, token_hash=hash_secret(token), label=label.strip()[:100] or "-", created_at=now)
    )
    session.flush()
    record(session, actor=actor, action="token_issued", subject=user.login, now=now)
    return token


def user_of_token(session: Session, token: str) -> User | None:
    """Whose live token this is; None when unknown, revoked, or the account is disabled."""
    return session.scalar(
        select(User)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == hash_secret(token), ApiToken.revoked_at.is_(None), User.active.is_(True))
    )


def revoke_token(session: Session, user: User, token_id: int, *, actor: str, now: datetime) -> None:
    """End one of this person's tokens. Errors: NotFound when it is not theirs."""
    token = session.get(ApiToken, token_id)
    if token is None or token.user_id != user.id:
        raise NotFound("没有这个令牌")
    token.revoked_at = token.revoked_at or now
    record(session, actor=actor, action="token_revoked", subject=user.login, now=now)
