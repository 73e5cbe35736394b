#!/usr/bin/env bash
# A Chromium and a Chinese font for the browser tests: used if there, installed as root on Debian, else one sentence.
set -euo pipefail
have() { command -v chromium >/dev/null 2>&1 && fc-list ':lang=zh' 2>/dev/null | grep -q .; }
have && exit 0
need="apt-get install chromium fonts-noto-cjk fontconfig"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq chromium fonts-noto-cjk fontconfig >/dev/null
  have && exit 0
fi
echo "The browser tests need Chromium and a Chinese font. As root, run: $need" >&2
exit 1
