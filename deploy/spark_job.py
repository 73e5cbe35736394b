"""What spark-submit runs: `spark-submit deploy/spark_job.py night --inbox … --as-of …` is `bianzhi night …` on the cluster."""

from cli import main

main()
