"""Who may do what, and to which units: the one table of permissions, and the scope a person's grants give (DOMAIN §1).

Two questions, always both: *may* a role do this at all (`may`), and does this person's scope reach the unit or division
(`Scope`). Everybody sees the own subtree at the own level; auditors see every level of it; an administrator's grant
reaches no unit at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session, aliased

from core.accounts import Grant, Role, User
from core.errors import Forbidden, NotFound
from core.parameters import parameter_value
from core.types import Level
from core.unit_sql import at_level, below, is_current
from core.units import UnitVersion, division_level, division_lineage


class Permission(StrEnum):
    """Every act a door guards."""

    SEE_FIGURES = "SEE_FIGURES"
    SEE_FLAGS = "SEE_FLAGS"
    SEE_NIGHTS = "SEE_NIGHTS"
    SEE_VERDICTS = "SEE_VERDICTS"
    SEE_DATA_DOCS = "SEE_DATA_DOCS"
    DOWNLOAD_WORKBOOK = "DOWNLOAD_WORKBOOK"
    ACKNOWLEDGE_FLAG = "ACKNOWLEDGE_FLAG"
    EXPLAIN_FLAG = "EXPLAIN_FLAG"
    CONFIRM_EXPLANATION = "CONFIRM_EXPLANATION"
    RECTIFY_FLAG = "RECTIFY_FLAG"
    REFER_FLAG = "REFER_FLAG"
    CLOSE_FLAG = "CLOSE_FLAG"
    SEE_IDENTITY = "SEE_IDENTITY"
    RELEASE_NIGHT = "RELEASE_NIGHT"
    SEE_MAILS = "SEE_MAILS"
    SET_PARAMETER = "SET_PARAMETER"
    MANAGE_ACCOUNTS = "MANAGE_ACCOUNTS"
    SEE_POOL = "SEE_POOL"
    MOVE_POSTS = "MOVE_POSTS"
    CONVERT_POSTS = "CONVERT_POSTS"
    REVERSE_MOVEMENT = "REVERSE_MOVEMENT"
    SET_LIMITS = "SET_LIMITS"
    REORGANISE = "REORGANISE"
    REQUEST_LOAN = "REQUEST_LOAN"
    ENDORSE_LOAN = "ENDORSE_LOAN"
    REVIEW_LOAN = "REVIEW_LOAN"
    DECIDE_LOAN = "DECIDE_LOAN"
    REFUSE_LOAN = "REFUSE_LOAN"
    RENEW_LOAN = "RENEW_LOAN"
    RECALL_LOAN = "RECALL_LOAN"
    RETURN_POSTS = "RETURN_POSTS"
    FILL_SLOT = "FILL_SLOT"
    SWAP_SLOT = "SWAP_SLOT"
    DELEGATE = "DELEGATE"
    # The gate
    SEE_STAFFING = "SEE_STAFFING"
    APPLY_POSTS = "APPLY_POSTS"
    REVIEW_POSTS = "REVIEW_POSTS"
    GRANT_PERMIT = "GRANT_PERMIT"
    REFUSE_POSTS = "REFUSE_POSTS"
    CONFIRM_COST = "CONFIRM_COST"
    REGISTER_ENTRY = "REGISTER_ENTRY"
    NOTE_PAY = "NOTE_PAY"
    ANNOUNCE_EXIT = "ANNOUNCE_EXIT"
    REGISTER_EXIT = "REGISTER_EXIT"
    UNDO_EXIT = "UNDO_EXIT"
    CANCEL_SLOT = "CANCEL_SLOT"
    CARRY_POST = "CARRY_POST"
    GRANT_WAIVER = "GRANT_WAIVER"
    RELEASE_BLOCK = "RELEASE_BLOCK"
    ACKNOWLEDGE_NOTICE = "ACKNOWLEDGE_NOTICE"
    SEE_PAPERS = "SEE_PAPERS"
    REGISTER_DOCUMENT = "REGISTER_DOCUMENT"
    RENEW_CERTIFICATE = "RENEW_CERTIFICATE"
    KEEP_CERTIFICATE = "KEEP_CERTIFICATE"
    REVOKE_CERTIFICATE = "REVOKE_CERTIFICATE"
    SEE_TIP_OFFS = "SEE_TIP_OFFS"
    HANDLE_TIP_OFF = "HANDLE_TIP_OFF"
    REASSIGN_TIP_OFF = "REASSIGN_TIP_OFF"
    ISSUE_LOOKUP_CODE = "ISSUE_LOOKUP_CODE"
    SEE_REPORTS = "SEE_REPORTS"
    OPEN_REPORTS = "OPEN_REPORTS"
    CONFIRM_REPORT = "CONFIRM_REPORT"
    SEE_RECTIFICATIONS = "SEE_RECTIFICATIONS"
    REPORT_RECTIFIED = "REPORT_RECTIFIED"
    SEE_REFERRALS = "SEE_REFERRALS"
    ANSWER_REFERRAL = "ANSWER_REFERRAL"
    # Duties and standards
    SEE_DUTIES = "SEE_DUTIES"
    KEEP_DUTIES = "KEEP_DUTIES"
    SET_STANDARD = "SET_STANDARD"
    RECORD_WORKLOAD = "RECORD_WORKLOAD"
    KEEP_REFORM = "KEEP_REFORM"
    WORK_REFORM = "WORK_REFORM"
    CONFIRM_REFORM = "CONFIRM_REFORM"
    DROP_REFORM = "DROP_REFORM"


_DOMAIN_ROLES = frozenset(Role) - {Role.ADMINISTRATOR}
_OFFICE = frozenset({Role.REVIEWER, Role.DIRECTOR})
_DATA_OWNERS = frozenset({Role.FINANCE, Role.PERSONNEL})

# Auditors read everything and change nothing; administrators take no domain decision but waking a parked night.
ALLOWED: dict[Permission, frozenset[Role]] = {
    Permission.SEE_FIGURES: _DOMAIN_ROLES,
    Permission.SEE_FLAGS: _DOMAIN_ROLES,
    Permission.SEE_NIGHTS: frozenset(Role),
    Permission.SEE_VERDICTS: _OFFICE | _DATA_OWNERS | {Role.AUDITOR, Role.ADMINISTRATOR},
    Permission.SEE_DATA_DOCS: _OFFICE | _DATA_OWNERS | {Role.AUDITOR},
    Permission.DOWNLOAD_WORKBOOK: _OFFICE | _DATA_OWNERS | {Role.AUDITOR},
    Permission.ACKNOWLEDGE_FLAG: frozenset({Role.UNIT_OFFICER, Role.SUPERVISOR, Role.REVIEWER}) | _DATA_OWNERS,
    Permission.EXPLAIN_FLAG: frozenset({Role.UNIT_OFFICER, Role.SUPERVISOR, Role.REVIEWER}) | _DATA_OWNERS,
    Permission.CONFIRM_EXPLANATION: _OFFICE | {Role.SUPERVISOR},
    Permission.RECTIFY_FLAG: _OFFICE | {Role.SUPERVISOR},
    Permission.REFER_FLAG: _OFFICE,
    Permission.CLOSE_FLAG: _OFFICE,
    Permission.SEE_IDENTITY: frozenset({Role.REVIEWER}),
    Permission.RELEASE_NIGHT: frozenset({Role.REVIEWER, Role.ADMINISTRATOR}),
    Permission.SEE_MAILS: frozenset({Role.ADMINISTRATOR}),
    Permission.SET_PARAMETER: frozenset({Role.ADMINISTRATOR}),
    Permission.MANAGE_ACCOUNTS: frozenset({Role.ADMINISTRATOR}),
    # The pool (DOMAIN §5): the office moves posts, the director alone grants one.
    Permission.SEE_POOL: _DOMAIN_ROLES,
    Permission.MOVE_POSTS: _OFFICE,
    Permission.CONVERT_POSTS: frozenset({Role.DIRECTOR}),
    Permission.REVERSE_MOVEMENT: frozenset({Role.DIRECTOR}),
    Permission.SET_LIMITS: frozenset({Role.DIRECTOR}),
    Permission.REORGANISE: frozenset({Role.DIRECTOR}),
    Permission.REQUEST_LOAN: frozenset({Role.UNIT_OFFICER}),
    Permission.ENDORSE_LOAN: frozenset({Role.SUPERVISOR}),
    Permission.REVIEW_LOAN: frozenset({Role.REVIEWER}),
    Permission.DECIDE_LOAN: frozenset({Role.DIRECTOR}),
    Permission.REFUSE_LOAN: _OFFICE | {Role.SUPERVISOR},
    Permission.RENEW_LOAN: frozenset({Role.DIRECTOR}),
    Permission.RECALL_LOAN: _OFFICE | {Role.UNIT_OFFICER},
    Permission.RETURN_POSTS: frozenset({Role.UNIT_OFFICER, Role.REVIEWER}),
    Permission.FILL_SLOT: frozenset({Role.REVIEWER, Role.PERSONNEL}),
    Permission.SWAP_SLOT: frozenset({Role.REVIEWER}),
    Permission.DELEGATE: frozenset({Role.UNIT_OFFICER, Role.SUPERVISOR, Role.REVIEWER, Role.DIRECTOR}),
    # The gate (DOMAIN §6): the unit applies, the office reviews and registers, the director alone signs.
    Permission.SEE_STAFFING: _DOMAIN_ROLES,
    Permission.APPLY_POSTS: frozenset({Role.UNIT_OFFICER}),
    Permission.REVIEW_POSTS: frozenset({Role.REVIEWER}),
    Permission.GRANT_PERMIT: frozenset({Role.DIRECTOR}),
    Permission.REFUSE_POSTS: _OFFICE,
    Permission.CONFIRM_COST: frozenset({Role.FINANCE}),
    Permission.REGISTER_ENTRY: frozenset({Role.REVIEWER, Role.PERSONNEL}),
    Permission.NOTE_PAY: frozenset({Role.FINANCE}),
    Permission.ANNOUNCE_EXIT: frozenset({Role.UNIT_OFFICER, Role.REVIEWER, Role.PERSONNEL}),
    Permission.REGISTER_EXIT: frozenset({Role.REVIEWER, Role.PERSONNEL}),
    Permission.UNDO_EXIT: frozenset({Role.DIRECTOR}),
    Permission.CANCEL_SLOT: frozenset({Role.REVIEWER}),
    Permission.CARRY_POST: _OFFICE,
    Permission.GRANT_WAIVER: frozenset({Role.DIRECTOR}),
    Permission.RELEASE_BLOCK: frozenset({Role.DIRECTOR}),
    Permission.ACKNOWLEDGE_NOTICE: _DATA_OWNERS,
    # Documents and certificates (DOMAIN §6, decision 0013): a certificate states what the ledger holds and grants nothing.
    Permission.SEE_PAPERS: _DOMAIN_ROLES,
    Permission.REGISTER_DOCUMENT: _OFFICE,
    Permission.RENEW_CERTIFICATE: _OFFICE,
    Permission.KEEP_CERTIFICATE: frozenset({Role.REVIEWER}),
    Permission.REVOKE_CERTIFICATE: frozenset({Role.DIRECTOR}),
    # Sunshine (DOMAIN §6): an auditor, standing for discipline inspection too, takes up tip-offs and answers what is
    # referred to it; neither changes a post, a flag or a figure (decision 0014).
    Permission.SEE_TIP_OFFS: _OFFICE | {Role.AUDITOR},
    Permission.HANDLE_TIP_OFF: frozenset({Role.REVIEWER, Role.AUDITOR}),
    Permission.REASSIGN_TIP_OFF: frozenset({Role.DIRECTOR}),
    Permission.ISSUE_LOOKUP_CODE: frozenset({Role.REVIEWER, Role.PERSONNEL}),
    Permission.SEE_REPORTS: _OFFICE | {Role.UNIT_OFFICER, Role.SUPERVISOR, Role.AUDITOR},
    Permission.OPEN_REPORTS: _OFFICE,
    Permission.CONFIRM_REPORT: frozenset({Role.UNIT_OFFICER}),
    Permission.SEE_RECTIFICATIONS: _OFFICE | {Role.UNIT_OFFICER, Role.SUPERVISOR, Role.AUDITOR},
    Permission.REPORT_RECTIFIED: frozenset({Role.UNIT_OFFICER, Role.SUPERVISOR}),
    Permission.SEE_REFERRALS: _OFFICE | {Role.AUDITOR, Role.PERSONNEL},
    Permission.ANSWER_REFERRAL: frozenset({Role.REVIEWER, Role.AUDITOR, Role.PERSONNEL}),
    # Duties and standards (DOMAIN §6, decision 0017): the office keeps them, units state their workload and do the tasks.
    Permission.SEE_DUTIES: _DOMAIN_ROLES,
    Permission.KEEP_DUTIES: frozenset({Role.REVIEWER}),
    Permission.SET_STANDARD: _OFFICE,
    Permission.RECORD_WORKLOAD: frozenset({Role.UNIT_OFFICER, Role.SUPERVISOR, Role.REVIEWER}),
    Permission.KEEP_REFORM: _OFFICE,
    Permission.WORK_REFORM: frozenset({Role.UNIT_OFFICER, Role.SUPERVISOR}),
    Permission.CONFIRM_REFORM: frozenset({Role.REVIEWER}),
    Permission.DROP_REFORM: frozenset({Role.DIRECTOR}),
}


def may(roles: Role | Iterable[Role], permission: Permission) -> bool:
    """Whether one of the roles has the permission."""
    held = {roles} if isinstance(roles, Role) else set(roles)
    return bool(held & ALLOWED[permission])


@dataclass(frozen=True)
class Reach:
    """What one grant reaches. `units` is the answer; `codes` or `division` and `level` say the same to SQL.

    codes: a unit grant's subtree. division, level: a division grant's area; level None = every level below.
    """

    role: Role
    units: frozenset[str]
    codes: frozenset[str] = frozenset()
    division: str | None = None
    level: Level | None = None

    def holds_division(self, code: str) -> bool:
        """Whether facts about a whole division (no unit) lie in this area."""
        if self.division is None or self.division not in division_lineage(code):
            return False
        return self.level is None or division_level(code) is self.level


@dataclass(frozen=True)
class Scope:
    """Everything a person's grants reach. A fact is placed by (unit_code, division_code), either of them None.

    A unit unknown to the register has no level: its facts are seen by those who see its division's. `leads`: one of the
    two reviewers named for leads on people.
    """

    user_id: int
    login: str
    roles: frozenset[Role]
    reaches: tuple[Reach, ...]
    registered: frozenset[str]
    leads: bool = False

    @property
    def units(self) -> frozenset[str]:
        """Codes of all units seen."""
        return frozenset().union(*(reach.units for reach in self.reaches))

    @property
    def divisions(self) -> frozenset[str]:
        """Codes of the divisions granted themselves; `sees_division` also answers for those below."""
        return frozenset(reach.division for reach in self.reaches if reach.division is not None)

    def sees_unit(self, unit_code: str) -> bool:
        return any(unit_code in reach.units for reach in self.reaches)

    def sees_division(self, division_code: str | None) -> bool:
        """Facts about a division as a whole; None = about no division at all, seen by every division grant."""
        return bool(self._division_roles(division_code))

    def roles_for(self, unit_code: str | None, division_code: str | None = None) -> set[Role]:
        """The roles this person has towards a fact placed there; empty when it is not seen."""
        if unit_code is not None:
            direct = {reach.role for reach in self.reaches if unit_code in reach.units}
            if direct or unit_code in self.registered:
                return direct
            return self._division_roles(division_code) if division_code is not None else set()
        return self._division_roles(division_code)

    def sees(self, unit_code: str | None, division_code: str | None) -> bool:
        return bool(self.roles_for(unit_code, division_code))

    def may(self, permission: Permission) -> bool:
        """Whether any role of this person has the permission, wherever it reaches."""
        return may(self.roles, permission)

    def check(self, permission: Permission, unit_code: str | None, division_code: str | None = None) -> set[Role]:
        """The roles that allow the act there. Errors: NotFound when unseen, Forbidden when seen but not theirs."""
        roles = self.roles_for(unit_code, division_code)
        if not roles:
            raise NotFound("没有这条记录，或者不在您的管辖范围内。")
        allowed = {role for role in roles if may(role, permission)}
        if not allowed:
            raise Forbidden("您的角色不能办理这一步。")
        return allowed

    def covers_level(self, session: Session, level: Level | str) -> bool:
        """Whether every registered unit of a level is seen: only then may a whole level's workbook be handed out."""
        codes = session.scalars(select(UnitVersion.unit_code).where(is_current(), UnitVersion.level == str(level)))
        found = set(codes)
        return bool(found) and found <= self.units

    def condition(self, unit_column: ColumnElement, division_column: ColumnElement) -> ColumnElement[bool]:
        """The same answer as `sees`, as SQL over a table's columns for unit and division."""
        seen: list[ColumnElement[bool]] = []
        codes = frozenset().union(*(reach.codes for reach in self.reaches))
        if codes:
            seen.append(unit_column.in_(sorted(codes)))
        areas = [reach for reach in self.reaches if reach.division is not None]
        for reach in areas:
            held = aliased(UnitVersion)  # an alias: the query around may read the register too
            in_area = select(held.unit_code).where(is_current(held), _area(held, reach.division, reach.level))
            seen.append(unit_column.in_(in_area))
        if areas:
            seen.append(_unplaced(unit_column, division_column, areas))
        return or_(*seen) if seen else false()

    def _division_roles(self, division_code: str | None) -> set[Role]:
        if division_code is None:
            return {reach.role for reach in self.reaches if reach.division is not None}
        return {reach.role for reach in self.reaches if reach.holds_division(division_code)}


def visible(scope: Scope, unit_column: ColumnElement, division_column: ColumnElement) -> ColumnElement[bool]:
    """`scope.condition` by its other name, for queries that read better with it."""
    return scope.condition(unit_column, division_column)


def scope_of(session: Session, user: User, today: date | None = None) -> Scope:
    """What a person's grants reach, by the unit register of the newest settled night. Inactive: nothing.

    today: the day whose parameter names the reviewers of leads; None: this is no door to leads.
    """
    grants = list(user.grants) if user.active else []
    reaches = tuple(_reach(session, grant) for grant in grants if grant.role != Role.ADMINISTRATOR)
    roles = frozenset(Role(grant.role) for grant in grants)
    needs_register = any(reach.division is not None for reach in reaches)
    registered = (
        frozenset(session.scalars(select(UnitVersion.unit_code).where(is_current()))) if needs_register else None
    )
    leads = today is not None and user.active and Role.REVIEWER in roles
    leads = leads and user.login in parameter_value(session, "lead_reviewers", today)
    return Scope(user.id, user.login, roles, reaches, registered or frozenset(), leads)


def _reach(session: Session, grant: Grant) -> Reach:
    role = Role(grant.role)
    level = Level(grant.level) if grant.level else None
    if grant.unit_code is not None:
        codes = _subtree(session, grant.unit_code, level, role)
        return Reach(role, codes, codes=codes)
    where = _area(UnitVersion, grant.division_code, level)
    units = frozenset(session.scalars(select(UnitVersion.unit_code).where(is_current(), where)))
    return Reach(role, units, division=grant.division_code, level=level)


def _subtree(session: Session, top: str, level: Level | None, role: Role) -> frozenset[str]:
    """The unit and all under it, at its own level unless the grant names one; auditors: every level."""
    levels = dict(_levels(session, UnitVersion.unit_code.in_([top])))
    own_level = level or levels.get(top)
    frontier = {top}
    while frontier:
        under = UnitVersion.parent_code.in_(sorted(frontier))
        if role is Role.SUPERVISOR:
            under = or_(under, UnitVersion.supervising_code.in_(sorted(frontier)))
        found = dict(_levels(session, under))
        frontier = set(found) - set(levels) - {top}
        levels |= found
    if role is Role.AUDITOR and level is None:
        return frozenset(levels) | {top}
    return frozenset(code for code, at in levels.items() if at == own_level) | {top}


def _levels(session: Session, where: ColumnElement[bool]) -> list[tuple[str, str]]:
    rows = session.execute(select(UnitVersion.unit_code, UnitVersion.level).where(is_current(), where))
    return [(row.unit_code, row.level) for row in rows]


def _area(version, division: str, level: Level | None) -> ColumnElement[bool]:
    inside = below(version.division_code, division)
    return inside if level is None else and_(inside, version.level == level.value)


def _unplaced(unit: ColumnElement, division: ColumnElement, areas: list[Reach]) -> ColumnElement[bool]:
    """Facts without a registered unit, by their division."""
    held = aliased(UnitVersion)
    registered = select(held.unit_code).where(is_current(held))
    places = [
        below(division, reach.division)
        if reach.level is None
        else and_(below(division, reach.division), at_level(division, reach.level))
        for reach in areas
    ]
    return or_(
        and_(unit.is_(None), or_(division.is_(None), *places)),
        and_(unit.is_not(None), unit.not_in(registered), or_(*places)),
    )
