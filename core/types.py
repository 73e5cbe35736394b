"""The closed vocabularies of the domain (DOMAIN §2, §3). A member's value is the identifier in files and tables."""

from __future__ import annotations

from enum import StrEnum


class PostType(StrEnum):
    ADMIN = "ADMIN"
    POLITICAL_LEGAL = "POLITICAL_LEGAL"
    CIVIL_SERVICE_REF = "CIVIL_SERVICE_REF"
    INSTITUTION = "INSTITUTION"
    SUPPORT = "SUPPORT"
    CONTROL_NUMBER = "CONTROL_NUMBER"


class FundForm(StrEnum):
    FULL = "FULL"
    PART = "PART"
    SELF = "SELF"


class UnitKind(StrEnum):
    ORGAN = "ORGAN"
    REF_UNIT = "REF_UNIT"
    INSTITUTION = "INSTITUTION"


class Level(StrEnum):
    PROVINCE = "PROVINCE"
    CITY = "CITY"
    COUNTY = "COUNTY"
    TOWNSHIP = "TOWNSHIP"


class Delivers(StrEnum):
    PERSONS = "PERSONS"
    COUNTS = "COUNTS"


class CopyKind(StrEnum):
    LEDGER = "LEDGER"
    CERTIFICATE = "CERTIFICATE"
    DATABASE = "DATABASE"


class IdType(StrEnum):
    RESIDENT = "RESIDENT"
    PASSPORT = "PASSPORT"
    HK_MACAO = "HK_MACAO"
    TAIWAN = "TAIWAN"
    PERMANENT = "PERMANENT"


class PersonStatus(StrEnum):
    IN_SERVICE = "IN_SERVICE"
    SECONDED_OUT = "SECONDED_OUT"
    ON_LEAVE = "ON_LEAVE"
    RETIRED = "RETIRED"
    LEFT = "LEFT"
    OFF_QUOTA = "OFF_QUOTA"


ACTIVE_STATUSES = (PersonStatus.IN_SERVICE, PersonStatus.SECONDED_OUT, PersonStatus.ON_LEAVE)


class LeaderTier(StrEnum):
    CHIEF = "CHIEF"
    DEPUTY = "DEPUTY"
    INNER_CHIEF = "INNER_CHIEF"
    INNER_DEPUTY = "INNER_DEPUTY"


class EntryForm(StrEnum):
    EXAM = "EXAM"
    RECRUIT = "RECRUIT"
    TRANSFER = "TRANSFER"
    PLACEMENT = "PLACEMENT"
    APPOINT = "APPOINT"
    OTHER = "OTHER"


class WorkKind(StrEnum):
    MANAGEMENT = "MANAGEMENT"
    TECHNICAL = "TECHNICAL"
    WORKER = "WORKER"


class PersonState(StrEnum):
    IN_SERVICE = "IN_SERVICE"
    RETIRED = "RETIRED"
    RETIRED_CADRE = "RETIRED_CADRE"
    TEMPORARY = "TEMPORARY"
    OTHER = "OTHER"


class YesNo(StrEnum):
    YES = "YES"
    NO = "NO"


class Measure(StrEnum):
    QUOTA = "QUOTA"
    IN_POST = "IN_POST"
    PAID = "PAID"


class Scope(StrEnum):
    ON_ESTABLISHMENT = "ON_ESTABLISHMENT"
    IN_SERVICE = "IN_SERVICE"
    YEAR_END_ALL = "YEAR_END_ALL"


class LeadKind(StrEnum):
    DEATH = "DEATH"
    RETIREMENT = "RETIREMENT"
    OTHER_EMPLOYER = "OTHER_EMPLOYER"
    BUSINESS = "BUSINESS"
    PRISON = "PRISON"
    ABROAD = "ABROAD"


class Severity(StrEnum):
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"
    S4 = "S4"


class Cause(StrEnum):
    """Why a finding may be innocent, or what kind it is. Of several, the first of CAUSE_ORDER counts (DOMAIN §4)."""

    QUARANTINE = "QUARANTINE"
    BLANK_ID = "BLANK_ID"
    TIMING = "TIMING"
    LEAVE = "LEAVE"
    PAID_AS_OTHER = "PAID_AS_OTHER"
    EXITED = "EXITED"
    OFF_QUOTA = "OFF_QUOTA"
    NOT_YET_ENTERED = "NOT_YET_ENTERED"
    NO_EXIT_DATE = "NO_EXIT_DATE"
    UNEXPLAINED = "UNEXPLAINED"
    PERSONS_NOT_DELIVERED = "PERSONS_NOT_DELIVERED"
    NO_PERMIT = "NO_PERMIT"
    UNKNOWN_PERMIT = "UNKNOWN_PERMIT"
    OTHER_CELL = "OTHER_CELL"
    APPROVED_LATER = "APPROVED_LATER"
    OVERUSED = "OVERUSED"
    EXPIRED = "EXPIRED"


class BookVerdict(StrEnum):
    ACCEPTED = "ACCEPTED"
    ACCEPTED_WITH_QUARANTINE = "ACCEPTED_WITH_QUARANTINE"
    REJECTED = "REJECTED"
    MISSING = "MISSING"
