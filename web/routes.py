"""The ROUTE table: every address the portal answers, and what each asks of the person. A route that is not here is
not served: the guard in `app.py` refuses it, and a test compares this table with Flask's own map."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.permissions import Permission as P


class Door(StrEnum):
    """How one gets in: anybody, a signed-in person with a cookie, or a bearer token."""

    OPEN = "OPEN"
    PAGE = "PAGE"
    TOKEN = "TOKEN"


class Scoped(StrEnum):
    """Which part of the address names a thing that must lie in the person's scope, else 404."""

    NOTHING = "NOTHING"
    FLAG = "FLAG"
    UNIT = "UNIT"
    NIGHT = "NIGHT"
    POOL_NODE = "POOL_NODE"
    POOL_REQUEST = "POOL_REQUEST"
    POOL_LOAN = "POOL_LOAN"
    POOL_SLOT = "POOL_SLOT"
    POOL_MOVEMENT = "POOL_MOVEMENT"
    DOCUMENT = "DOCUMENT"
    DOCUMENT_FILE = "DOCUMENT_FILE"
    STAFF_PLAN = "STAFF_PLAN"
    STAFF_TALK = "STAFF_TALK"
    STAFF_USE = "STAFF_USE"
    STAFF_POST = "STAFF_POST"
    STAFF_NOTICE = "STAFF_NOTICE"
    STAFF_BLOCK = "STAFF_BLOCK"
    ROWS = "ROWS"  # lists: the query itself is limited to the scope


@dataclass(frozen=True)
class Route:
    """One address. `permission` None: signing in is enough (or, for OPEN, not even that)."""

    path: str
    endpoint: str
    methods: tuple[str, ...]
    door: Door
    permission: P | None
    scoped: Scoped


def _open(path: str, endpoint: str, *methods: str) -> Route:
    return Route(path, endpoint, methods or ("GET",), Door.OPEN, None, Scoped.NOTHING)


def _page(path: str, endpoint: str, permission: P | None, scoped: Scoped, *methods: str) -> Route:
    return Route(path, endpoint, methods or ("GET",), Door.PAGE, permission, scoped)


def _api(path: str, endpoint: str, permission: P, scoped: Scoped, method: str = "GET") -> Route:
    return Route(f"/api/v1{path}", f"api.{endpoint}", (method,), Door.TOKEN, permission, scoped)


N, F, U, A, R = Scoped.NOTHING, Scoped.FLAG, Scoped.UNIT, Scoped.NIGHT, Scoped.ROWS
PN, PR, PL, PS, PM = (
    Scoped.POOL_NODE, Scoped.POOL_REQUEST, Scoped.POOL_LOAN, Scoped.POOL_SLOT, Scoped.POOL_MOVEMENT,
)  # fmt: skip
D, DF = Scoped.DOCUMENT, Scoped.DOCUMENT_FILE
SP, ST, SU, SO, SN, SB = (
    Scoped.STAFF_PLAN, Scoped.STAFF_TALK, Scoped.STAFF_USE, Scoped.STAFF_POST, Scoped.STAFF_NOTICE, Scoped.STAFF_BLOCK,
)  # fmt: skip
# The gate (docs/gate.md). Delegations reach it by SEE_STAFFING; the use-case asks for the act's own permission.
STAFFING: tuple[Route, ...] = (
    _page("/staffing", "staffing", P.SEE_STAFFING, R),
    _page("/staffing/new/<any(consult,enter,record,'exit-person',carry,waiver):deed>", "staffing_new", P.SEE_STAFFING, R, "GET", "POST"),
    _page("/staffing/split", "staffing_split", P.SEE_STAFFING, R, "GET", "POST"),
    _page("/staffing/plans", "staffing_plans", P.SEE_STAFFING, R),
    _page("/staffing/plans/new", "staffing_plan_new", P.APPLY_POSTS, R, "GET", "POST"),
    _page("/staffing/plans/<plan_no>", "staffing_plan", P.SEE_STAFFING, SP),
    _page("/staffing/plans/<plan_no>/<any(review,pass,refuse,withdraw):step>", "staffing_plan_step", P.SEE_STAFFING, SP, "POST"),
    _page("/staffing/consultations", "staffing_talks", P.SEE_STAFFING, R),
    _page("/staffing/consultations/<talk_no>", "staffing_talk", P.SEE_STAFFING, ST),
    _page("/staffing/consultations/<talk_no>/<any(opinion):step>", "staffing_talk_step", P.SEE_STAFFING, ST, "POST"),
    _page("/staffing/applications", "staffing_uses", P.SEE_STAFFING, R),
    _page("/staffing/applications/new", "staffing_use_new", P.APPLY_POSTS, R, "GET", "POST"),
    _page("/staffing/applications/<use_no>", "staffing_use", P.SEE_STAFFING, SU),
    _page("/staffing/applications/<use_no>/<any(submit,'confirm-cost',review,grant,refuse,withdraw,revoke):step>", "staffing_use_step", P.SEE_STAFFING, SU, "POST"),
    _page("/staffing/applications/<use_no>/<any(approval,notice):form>.pdf", "staffing_use_form", P.SEE_STAFFING, SU),
    _page("/staffing/slots", "staffing_slots", P.SEE_STAFFING, R),
    _page("/staffing/slots/<post_no>", "staffing_slot", P.SEE_STAFFING, SO),
    _page("/staffing/slots/<post_no>/<any(papers,pay,announce,recant,exit,'undo-exit',cancel):step>", "staffing_slot_step", P.SEE_STAFFING, SO, "POST"),
    _page("/staffing/slots/<post_no>/<any(entry,exit):form>.pdf", "staffing_slot_form", P.SEE_STAFFING, SO, "GET", "POST"),
    _page("/staffing/notices", "staffing_notices", P.SEE_STAFFING, R),
    _page("/staffing/notices/<int:notice_id>/acknowledge", "staffing_notice_step", P.ACKNOWLEDGE_NOTICE, SN, "POST"),
    _page("/staffing/blocks", "staffing_blocks", P.SEE_STAFFING, R),
    _page("/staffing/blocks/<int:block_id>/release", "staffing_block_step", P.RELEASE_BLOCK, SB, "POST"),
    _page("/staffing/waivers", "staffing_waivers", P.SEE_STAFFING, R),
    _page("/staffing/differences", "staffing_differences", P.SEE_STAFFING, R),
    _page("/staffing/units", "staffing_units", P.SEE_STAFFING, R),
    _page("/staffing/units/<path:code>", "staffing_unit", P.SEE_STAFFING, U),
    _api("/staffing/work", "staffing_work", P.SEE_STAFFING, R),
    _api("/staffing/plans", "staffing_plans", P.SEE_STAFFING, R),
    _api("/staffing/plans", "staffing_plan_new", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/plans/<plan_no>", "staffing_plan", P.SEE_STAFFING, SP),
    _api("/staffing/plans/<plan_no>/review", "staffing_plan_review", P.SEE_STAFFING, SP, "POST"),
    _api("/staffing/plans/<plan_no>/pass", "staffing_plan_pass", P.SEE_STAFFING, SP, "POST"),
    _api("/staffing/plans/<plan_no>/refuse", "staffing_plan_refuse", P.SEE_STAFFING, SP, "POST"),
    _api("/staffing/plans/<plan_no>/withdraw", "staffing_plan_withdraw", P.SEE_STAFFING, SP, "POST"),
    _api("/staffing/consultations", "staffing_talks", P.SEE_STAFFING, R),
    _api("/staffing/consultations", "staffing_talk_new", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/consultations/<talk_no>", "staffing_talk", P.SEE_STAFFING, ST),
    _api("/staffing/consultations/<talk_no>/opinion", "staffing_opinion", P.SEE_STAFFING, ST, "POST"),
    _api("/staffing/applications", "staffing_uses", P.SEE_STAFFING, R),
    _api("/staffing/applications", "staffing_use_new", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/applications/check", "staffing_use_check", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/applications/<use_no>", "staffing_use", P.SEE_STAFFING, SU),
    _api("/staffing/applications/<use_no>/submit", "staffing_use_submit", P.SEE_STAFFING, SU, "POST"),
    _api("/staffing/applications/<use_no>/confirm-cost", "staffing_use_cost", P.SEE_STAFFING, SU, "POST"),
    _api("/staffing/applications/<use_no>/review", "staffing_use_review", P.SEE_STAFFING, SU, "POST"),
    _api("/staffing/applications/<use_no>/grant", "staffing_use_grant", P.SEE_STAFFING, SU, "POST"),
    _api("/staffing/applications/<use_no>/refuse", "staffing_use_refuse", P.SEE_STAFFING, SU, "POST"),
    _api("/staffing/applications/<use_no>/withdraw", "staffing_use_withdraw", P.SEE_STAFFING, SU, "POST"),
    _api("/staffing/applications/<use_no>/revoke", "staffing_use_revoke", P.SEE_STAFFING, SU, "POST"),
    _api("/staffing/applications/<use_no>/forms/<form>", "staffing_use_form", P.SEE_STAFFING, SU),
    _api("/staffing/entries", "staffing_enter", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/people", "staffing_record", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/exits", "staffing_exits", P.SEE_STAFFING, R),
    _api("/staffing/exits", "staffing_exit_person", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/slots", "staffing_slots", P.SEE_STAFFING, R),
    _api("/staffing/slots/<post_no>", "staffing_slot", P.SEE_STAFFING, SO),
    _api("/staffing/slots/<post_no>/papers", "staffing_papers", P.SEE_STAFFING, SO, "POST"),
    _api("/staffing/slots/<post_no>/pay", "staffing_pay", P.SEE_STAFFING, SO, "POST"),
    _api("/staffing/slots/<post_no>/announce", "staffing_announce", P.SEE_STAFFING, SO, "POST"),
    _api("/staffing/slots/<post_no>/recant", "staffing_recant", P.SEE_STAFFING, SO, "POST"),
    _api("/staffing/slots/<post_no>/exit", "staffing_exit", P.SEE_STAFFING, SO, "POST"),
    _api("/staffing/slots/<post_no>/undo-exit", "staffing_undo_exit", P.SEE_STAFFING, SO, "POST"),
    _api("/staffing/slots/<post_no>/cancel", "staffing_cancel", P.SEE_STAFFING, SO, "POST"),
    _api("/staffing/slots/<post_no>/forms/<form>", "staffing_slot_form", P.SEE_STAFFING, SO),
    _api("/staffing/carries", "staffing_carry", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/splits", "staffing_split", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/waivers", "staffing_waivers", P.SEE_STAFFING, R),
    _api("/staffing/waivers", "staffing_waiver", P.SEE_STAFFING, R, "POST"),
    _api("/staffing/notices", "staffing_notices", P.SEE_STAFFING, R),
    _api("/staffing/notices/<int:notice_id>/acknowledge", "staffing_acknowledge", P.SEE_STAFFING, SN, "POST"),
    _api("/staffing/blocks", "staffing_blocks", P.SEE_STAFFING, R),
    _api("/staffing/blocks/<int:block_id>/release", "staffing_release", P.SEE_STAFFING, SB, "POST"),
    _api("/staffing/units/<code>", "staffing_unit", P.SEE_STAFFING, U),
)  # fmt: skip

TABLE: tuple[Route, ...] = (
    _open("/static/<path:filename>", "static"),
    _open("/login", "login", "GET", "POST"),
    _open("/language", "language"),
    _open("/healthz", "healthz"),
    _open("/readyz", "readyz"),
    _open("/metrics", "metrics"),
    _open("/api/v1/openapi.json", "openapi.doc_url"),
    _open("/api/v1/", "openapi.openapi"),
    _open("/api/v1/static/<path:filename>", "openapi.static"),
    _open("/api/v1/swagger", "swagger.swagger"),
    _open("/api/v1/oauth2-redirect.html", "swagger.oauth2-redirect"),
    _open("/api/v1/swagger/<path:filename>", "swagger.static"),
    _page("/", "home", None, N),
    _page("/logout", "logout", None, N, "POST"),
    _page("/me", "me", None, N, "GET", "POST"),
    _page("/me/language", "my_language", None, N, "POST"),
    _page("/overview", "overview", P.SEE_FIGURES, R),
    _page("/overview/chart.svg", "overview_chart", P.SEE_FIGURES, R),
    _page("/flags", "flags", P.SEE_FLAGS, R),
    _page("/flags/export.<any(csv,xlsx,json):form>", "flags_export", P.SEE_FLAGS, R),
    _page("/flags/<key>", "flag", P.SEE_FLAGS, F),
    _page("/flags/<key>/identity", "flag_identity", P.SEE_IDENTITY, F, "POST"),
    _page("/flags/<key>/<move>", "flag_move", P.SEE_FLAGS, F, "POST"),
    _page("/units", "units", P.SEE_FIGURES, R),
    _page("/units/<path:code>", "unit", P.SEE_FIGURES, U),
    _page("/units/<path:code>/trend.svg", "unit_chart", P.SEE_FIGURES, U),
    _page("/pool", "pool", P.SEE_POOL, R),
    _page("/pool/chart.svg", "pool_chart", P.SEE_POOL, R),
    _page("/pool/units", "pool_units", P.SEE_POOL, R),
    _page("/pool/units/<path:code>", "pool_unit", P.SEE_POOL, U),
    _page("/pool/nodes/<node>/ledger", "pool_ledger", P.SEE_POOL, PN),
    _page("/pool/requests", "pool_requests", P.SEE_POOL, R),
    _page("/pool/requests/new", "pool_wish", P.REQUEST_LOAN, R, "GET", "POST"),
    _page("/pool/requests/<number>", "pool_request", P.SEE_POOL, PR),
    _page("/pool/requests/<number>/edit", "pool_draft", P.REQUEST_LOAN, PR, "GET", "POST"),
    _page("/pool/requests/<number>/<step>", "pool_request_step", P.SEE_POOL, PR, "POST"),
    _page("/pool/returns", "pool_returns", P.SEE_POOL, R),
    _page("/pool/loans/<loan_no>", "pool_loan", P.SEE_POOL, PL),
    _page("/pool/loans/<loan_no>/<step>", "pool_loan_step", P.SEE_POOL, PL, "POST"),
    _page("/pool/slots/<slot_no>/<step>", "pool_slot_step", P.SEE_POOL, PS, "POST"),
    _page("/pool/matrix", "pool_matrix", P.SEE_POOL, R),
    # Documents and certificates.
    _open("/verify", "verify", "GET", "POST"),
    _open("/verify/key.pem", "verify_key"),
    _open("/verify/<code>", "verify_code"),
    _page("/certificates", "certificates", P.SEE_PAPERS, R),
    _page("/certificates/<path:code>", "certificate", P.SEE_PAPERS, U),
    _page("/certificates/<path:code>/certificate.pdf", "certificate_pdf", P.SEE_PAPERS, U),
    _page(
        "/certificates/<path:code>/<any(renew,check,record,revoke):step>", "certificate_step", P.SEE_PAPERS, U, "POST"
    ),
    _page("/documents", "documents", P.SEE_PAPERS, R),
    _page("/documents/new", "document_new", P.REGISTER_DOCUMENT, R, "GET", "POST"),
    _page("/documents/files/<int:file_id>", "document_file", P.SEE_PAPERS, DF),
    _page("/documents/<doc_no>", "document", P.SEE_PAPERS, D, "GET", "POST"),
    _page("/pool/movements/<int:seq>/notice.pdf", "pool_notice", P.SEE_POOL, PM),
    # Notices for the neighbours' programs, and what a night saw otherwise than the gate.
    _api("/staffing/differences", "gate_differences", P.SEE_STAFFING, R),
    _api("/staffing/notices/fetch", "notices_fetch", P.ACKNOWLEDGE_NOTICE, R, "POST"),
    _api("/staffing/notices/acknowledge", "notices_acknowledge", P.ACKNOWLEDGE_NOTICE, R, "POST"),
    _api("/certificates", "certificates", P.SEE_PAPERS, R),
    _api("/certificates/<code>", "certificate", P.SEE_PAPERS, U),
    _api("/certificates/<code>/pdf", "certificate_pdf", P.SEE_PAPERS, U),
    _api("/certificates/<code>/<step>", "certificate_step", P.SEE_PAPERS, U, "POST"),
    _api("/documents", "documents", P.SEE_PAPERS, R),
    _api("/documents", "document_new", P.REGISTER_DOCUMENT, R, "POST"),
    _api("/documents/<doc_no>", "document", P.SEE_PAPERS, D),
    _api("/documents/<doc_no>/files", "document_add", P.REGISTER_DOCUMENT, D, "POST"),
    _api("/documents/files/<int:file_id>", "document_file", P.SEE_PAPERS, DF),
    *STAFFING,
    # Everybody who sees the pool sees what acts there are; each act asks for its own permission at its place.
    _page("/pool/acts", "pool_acts", P.SEE_POOL, R),
    _page(
        "/pool/acts/<any(grant,cut,transfer,convert,deposit,withdraw,limits,reparent,merge,rename,abolish,switch,reverse):name>",
        "pool_act",
        P.SEE_POOL,
        R,
        "GET",
        "POST",
    ),
    _page("/pool/what-if", "pool_what_if", P.SEE_POOL, R),
    _page("/pool/delegations", "pool_delegations", P.SEE_POOL, N, "GET", "POST"),
    _page("/pool/delegations/<int:delegation_id>/revoke", "pool_undelegate", P.SEE_POOL, N, "POST"),
    _page("/trends", "trends", P.SEE_FIGURES, R),
    _page("/trends/chart.svg", "trends_chart", P.SEE_FIGURES, R),
    _page("/nights", "nights", P.SEE_NIGHTS, R),
    _page("/nights/<as_of>", "night", P.SEE_NIGHTS, A),
    _page("/nights/<as_of>/files/<int:artefact_id>", "night_file", P.DOWNLOAD_WORKBOOK, A),
    _page("/nights/<as_of>/held.csv", "night_held", P.SEE_VERDICTS, A),
    _page("/nights/<as_of>/docs/<path:filename>", "night_docs", P.SEE_DATA_DOCS, A),
    _page("/nights/<as_of>/release", "night_release", P.RELEASE_NIGHT, A, "POST"),
    _page("/mails", "mails", P.SEE_MAILS, N),
    _page("/mails/<int:mail_id>", "mail", P.SEE_MAILS, N),
    _page("/mails/<int:mail_id>/body", "mail_body", P.SEE_MAILS, N),
    _page("/accounts", "accounts", P.MANAGE_ACCOUNTS, N, "GET", "POST"),
    _page("/accounts/<login>", "account", P.MANAGE_ACCOUNTS, N),
    _page(
        "/accounts/<login>/<any(enable,disable,password,grant,revoke):act>", "account_act", P.MANAGE_ACCOUNTS, N, "POST"
    ),
    # Sunshine: what anybody may read or send, and the work lists that come of it.
    _open("/public", "public"),
    _open("/public/units/<path:unit>", "public_unit"),
    _open("/public/data", "public_data"),
    _open("/public/data/<any(units,pool):book>.<any(csv,json):form>", "public_file"),
    _open("/public/data/schema.json", "public_schema"),
    _open("/tip-off", "tip_off", "GET", "POST"),
    _open("/tip-off/status", "tip_off_status", "GET", "POST"),
    _open("/my-record", "own_record", "GET", "POST"),
    _page("/desk", "desk", P.SEE_FIGURES, R),
    _page("/desk/tip-offs", "tip_offs", P.SEE_TIP_OFFS, R),
    _page("/desk/tip-offs/<receipt>", "tip_off_case", P.SEE_TIP_OFFS, R),
    _page("/desk/tip-offs/<receipt>/contact", "tip_off_contact", P.HANDLE_TIP_OFF, R, "POST"),
    _page("/desk/tip-offs/<receipt>/<step>", "tip_off_step", P.SEE_TIP_OFFS, R, "POST"),
    _page("/desk/lookup-codes", "lookup_codes", P.ISSUE_LOOKUP_CODE, R, "GET", "POST"),
    _page("/desk/rectifications", "rectifications", P.SEE_RECTIFICATIONS, R),
    _page("/desk/rectifications/<key>", "rectification", P.SEE_RECTIFICATIONS, F),
    _page("/desk/rectifications/<key>/notice", "rectification_notice", P.SEE_RECTIFICATIONS, F),
    _page("/desk/rectifications/<key>/<step>", "rectification_step", P.SEE_RECTIFICATIONS, F, "POST"),
    _page("/desk/referrals", "referrals", P.SEE_REFERRALS, R),
    _page("/desk/referrals/<letter>", "referral", P.SEE_REFERRALS, R),
    _page("/desk/referrals/<letter>/letter", "referral_letter", P.SEE_REFERRALS, R),
    _page("/desk/referrals/<letter>/<step>", "referral_step", P.SEE_REFERRALS, R, "POST"),
    _page("/reports", "reports", P.SEE_REPORTS, R, "GET", "POST"),
    _page("/reports/<int:period_id>", "report_period", P.SEE_REPORTS, R),
    _page("/reports/<int:period_id>/export.<any(csv,xlsx):form>", "report_export", P.SEE_REPORTS, R),
    _page("/reports/<int:period_id>/<path:code>", "report", P.SEE_REPORTS, U, "GET", "POST"),
    # Duties and standards.
    _page("/duties", "duties", P.SEE_DUTIES, R),
    _page("/duties/checks", "duties_checks", P.SEE_DUTIES, R),
    _page("/duties/standards", "duties_standards", P.SEE_DUTIES, R),
    _page("/duties/import", "duties_import", P.SEE_DUTIES, R, "GET", "POST"),
    _page(
        "/duties/templates/<any(determinations,items,standards,workloads,reform):book>.csv",
        "duties_template",
        P.SEE_DUTIES,
        N,
    ),
    _page("/duties/units/<path:code>", "duties_unit", P.SEE_DUTIES, U),
    _page("/duties/items/<int:item_id>/move", "duties_item_move", P.KEEP_DUTIES, R, "POST"),
    _page("/duties/reforms", "duties_reforms", P.SEE_DUTIES, R),
    _page("/duties/reforms/<task>", "duties_reform", P.SEE_DUTIES, R),
    _page("/duties/reforms/<task>/<step>", "duties_reform_step", P.SEE_DUTIES, R, "POST"),
    _api("/duties/units", "duties", P.SEE_DUTIES, R),
    _api("/duties/units/<code>", "duties_unit", P.SEE_DUTIES, U),
    _api("/duties/checks", "duties_checks", P.SEE_DUTIES, R),
    _api("/duties/standards", "duties_standards", P.SEE_DUTIES, R),
    _api("/duties/files/<book>", "duties_import", P.SEE_DUTIES, R, "POST"),
    _api("/duties/items/<int:item_id>/move", "duties_item_move", P.KEEP_DUTIES, R, "POST"),
    _api("/duties/reforms", "duties_reforms", P.SEE_DUTIES, R),
    _api("/duties/reforms/<task>", "duties_reform", P.SEE_DUTIES, R),
    _api("/duties/reforms/<task>/<step>", "duties_reform_step", P.SEE_DUTIES, R, "POST"),
    _api("/tip-offs", "tip_offs", P.SEE_TIP_OFFS, R),
    _api("/tip-offs/<receipt>", "tip_off", P.SEE_TIP_OFFS, R),
    _api("/tip-offs/<receipt>/<step>", "tip_off_step", P.SEE_TIP_OFFS, R, "POST"),
    _api("/tip-offs/<receipt>/contact", "tip_off_contact", P.HANDLE_TIP_OFF, R, "POST"),
    _api("/rectifications", "rectifications", P.SEE_RECTIFICATIONS, R),
    _api("/rectifications/<key>/<step>", "rectification_step", P.SEE_RECTIFICATIONS, F, "POST"),
    _api("/referrals", "referrals", P.SEE_REFERRALS, R),
    _api("/referrals/<letter>/<step>", "referral_step", P.SEE_REFERRALS, R, "POST"),
    _api("/reports", "reports", P.SEE_REPORTS, R),
    _api("/reports", "report_open", P.OPEN_REPORTS, R, "POST"),
    _api("/reports/<int:period_id>", "report_period", P.SEE_REPORTS, R),
    _api("/reports/<int:period_id>/<code>", "report", P.SEE_REPORTS, U),
    _api("/reports/<int:period_id>/<code>/answer", "report_answer", P.CONFIRM_REPORT, U, "POST"),
    _api("/reports/<int:period_id>/<code>/propose", "report_propose", P.OPEN_REPORTS, U, "POST"),
    _api("/flags", "flags", P.SEE_FLAGS, R),
    _api("/flags/<key>", "flag", P.SEE_FLAGS, F),
    _api("/flags/<key>/identity", "flag_identity", P.SEE_IDENTITY, F, "POST"),
    _api("/flags/<key>/<move>", "flag_move", P.SEE_FLAGS, F, "POST"),
    _api("/nights", "nights", P.SEE_NIGHTS, R),
    _api("/nights/<as_of>", "night", P.SEE_NIGHTS, A),
    _api("/units/<code>", "unit", P.SEE_FIGURES, U),
    _api("/units/<code>/trend", "unit_trend", P.SEE_FIGURES, U),
    _api("/trends", "trends", P.SEE_FIGURES, R),
    # What a delegation may reach asks for SEE_POOL here; the use-case asks for the act's own permission at its place.
    _api("/pool/stock", "pool_stock", P.SEE_POOL, R),
    _api("/pool/nodes", "pool_nodes", P.SEE_POOL, R),
    _api("/pool/nodes/<node>/cells", "pool_cells", P.SEE_POOL, PN),
    _api("/pool/nodes/<node>/movements", "pool_movements", P.SEE_POOL, PN),
    _api("/pool/nodes/<node>/limits", "pool_limits", P.SET_LIMITS, PN, "POST"),
    _api("/pool/nodes/<node>/reorganise", "pool_reorganise", P.REORGANISE, PN, "POST"),
    _api("/pool/requests", "pool_requests", P.SEE_POOL, R),
    _api("/pool/requests", "pool_wish", P.SEE_POOL, R, "POST"),
    _api("/pool/requests/check", "pool_check", P.SEE_POOL, R, "POST"),
    _api("/pool/requests/<number>", "pool_request", P.SEE_POOL, PR),
    _api("/pool/requests/<number>/draft", "pool_draft", P.SEE_POOL, PR, "POST"),
    _api("/pool/requests/<number>/<step>", "pool_request_step", P.SEE_POOL, PR, "POST"),
    _api("/pool/loans", "pool_loans", P.SEE_POOL, R),
    _api("/pool/loans/<loan_no>", "pool_loan", P.SEE_POOL, PL),
    _api("/pool/loans/<loan_no>/<step>", "pool_loan_step", P.SEE_POOL, PL, "POST"),
    _api("/pool/slots/<slot_no>/<step>", "pool_slot_step", P.SEE_POOL, PS, "POST"),
    _api("/pool/matrix", "pool_matrix", P.SEE_POOL, R),
    _api("/pool/grants", "pool_grant", P.MOVE_POSTS, R, "POST"),
    _api("/pool/cuts", "pool_cut", P.MOVE_POSTS, R, "POST"),
    _api("/pool/transfers", "pool_transfer", P.MOVE_POSTS, R, "POST"),
    _api("/pool/deposits", "pool_deposit", P.MOVE_POSTS, R, "POST"),
    _api("/pool/withdrawals", "pool_withdraw", P.MOVE_POSTS, R, "POST"),
    _api("/pool/conversions", "pool_convert", P.CONVERT_POSTS, R, "POST"),
    _api("/pool/reserves", "pool_reserve", P.MOVE_POSTS, R, "POST"),
    _api("/pool/reserves/<int:seq>/<step>", "pool_reserve_step", P.SEE_POOL, PM, "POST"),
    _api("/pool/vacancies", "pool_vacate", P.FILL_SLOT, R, "POST"),
    _api("/pool/movements/<int:seq>/reverse", "pool_reverse", P.REVERSE_MOVEMENT, PM, "POST"),
    _api("/pool/nodes/<node>/switch", "pool_switch", P.REORGANISE, PN, "POST"),
    _api("/pool/what-if", "pool_what_if", P.SEE_POOL, R, "POST"),
    _api("/pool/suggestions", "pool_suggestions", P.SEE_POOL, R),
    _api("/pool/delegations", "pool_delegations", P.SEE_POOL, N),
    _api("/pool/delegations", "pool_delegate", P.DELEGATE, N, "POST"),
    _api("/pool/delegations/<int:delegation_id>/revoke", "pool_undelegate", P.DELEGATE, N, "POST"),
)

ROUTES: dict[str, Route] = {route.endpoint: route for route in TABLE}
