"""# 夜间对账 nightly_reconcile

每晚 02:00（Asia/Shanghai）把编制数、实有人数、财政供养数逐人核对一遍。

| 任务 | 做什么 | 失败时 |
|---|---|---|
| open_night | 取收件夹中不晚于昨天的最新一夜（或参数 `as_of`），登记文件与校验值 | 收件夹是空的：值守邮件已发给管理员，补报后重跑 |
| position | 换发应换的管理证；我方编制账（借出借入、历次编制数、划转、逐月可用）和用编登记存入本夜；重跑沿用前一次 | 文件列不对：改正 `position/<as_of>/` 后重跑 |
| land | 逐批次保存原始副本 | 文件在运行中被改动：重新触发整夜 |
| gate_units, gate | 验收：接受、隔离或退回，结论写入库 | 批次有问题不会让任务失败，只会记入结论 |
| detect | 全部规则 | 看任务日志；数据不变，可直接重跑 |
| settle | 比对不符项，一个事务 | 可直接重跑，不会重复 |
| housekeeping | 周转池：临期提醒、逾期、失效、置换和收回建议；用编：许可过期、减编逾期、通知单催签；通知入列 | 可直接重跑，不会重复 |
| alert | 邮件入列并发送，每人每夜一封 | 邮件服务器不通：恢复后重跑本任务 |
| report | 工作簿、Data Docs、签名清单 | 可直接重跑 |
| prove | 从原始行重算，逐项核验 | 不变量被破坏：请停下来找人 |
| conclude | 应报批次缺报或被退回、核验失败：这一夜为红 | 红不是程序错误：见“夜”页面列出的原因 |

任一任务被杀掉后重跑，结果与不受打扰的一夜相同。参数：`as_of`（YYYY-MM-DD），`inbox`（默认 `BIANZHI_HOME/inbox`）。红色的一夜补报后，用同一 `as_of` 再触发一次；新的一次取代旧的，旧的保留可查。
"""

from __future__ import annotations

import sys
from datetime import timedelta

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException
from airflow.timetables.trigger import CronTriggerTimetable

BOOKS = ["establishment", "roster", "payroll", "headcount", "permits", "leads", "base", "limits"]
TEXT = ["null", "string"]
MINUTES = {"retries": 2, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(minutes=60)}


@task
def open_night(params: dict | None = None) -> int:
    """Find or begin the run of the night."""
    from night.steps import begin

    return begin(as_of=params["as_of"], inbox=params["inbox"])


@task
def step(act: str, night_run: int, book: str | None = None) -> dict:
    """One step of the night, by name; answers with counts only."""
    from night.steps import ANSWERS, perform

    try:
        return perform(act, night_run, book)
    except ANSWERS as answer:
        # A red night is an answer, not a fault: only a killed or failing task is tried again.
        raise AirflowFailException(str(answer)) from None


@dag(
    schedule=CronTriggerTimetable("0 2 * * *", timezone="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    default_args=MINUTES,
    doc_md=__doc__,
    tags=["对账"],
    params={"as_of": Param(None, type=TEXT, format="date"), "inbox": Param(None, type=TEXT)},
)
def nightly_reconcile():
    run = open_night()
    landed = step.override(task_id="land").partial(act="land", night_run=run).expand(book=["control", "units", *BOOKS])
    units = step.override(task_id="gate_units")("gate", run, "units")
    gated = step.override(task_id="gate").partial(act="gate", night_run=run).expand(book=BOOKS)
    before = step.override(task_id="position")("position", run) >> landed >> units >> gated
    for name in ("detect", "settle", "housekeeping", "alert", "report", "prove", "conclude"):
        before = before >> step.override(task_id=name)(name, run)


night = nightly_reconcile()

if __name__ == "__main__":
    # One whole night after another in this process: `python dags/nightly_reconcile.py INBOX NIGHT...`
    for as_of in sys.argv[2:]:
        night.test(run_conf={"inbox": sys.argv[1], "as_of": as_of})
