#!/bin/bash
# Every rule of scripts/walls fails on a planted violation, names its line, and passes without it.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

complain() {
  echo "walls_bite: $*" >&2
  failures=$((failures + 1))
}

# bites LINE RULE: the last run failed, and a message names the line and has the rule's words.
bites() {
  if [ "$status" = 0 ] || ! grep -F "$1" <<< "$output" | grep -qF "$2"; then
    complain "planted $1 for the rule '$2', got status $status: $output"
  fi
}

# plant FILE TEXT RULE [LINE]: TEXT in a new FILE is found, at LINE (1).
plant() {
  mkdir -p "$work/Sources/$(dirname "$1")"
  printf '%s\n' "$2" > "$work/Sources/$1"
  output=$("$root/scripts/walls" "$work" 2>&1)
  status=$?
  bites "$(realpath -m --relative-to="$work" "$work/Sources/$1"):${4:-1}:" "$3"
  rm -rf "$work/Sources" "$work/Tests"
}

# allow FILE TEXT: TEXT in a new FILE is no violation.
allow() {
  mkdir -p "$work/Sources/$(dirname "$1")"
  printf '%s\n' "$2" > "$work/Sources/$1"
  output=$("$root/scripts/walls" "$work" 2>&1) || complain "found fault with $1: $output"
  rm -rf "$work/Sources" "$work/Tests"
}

plant ProcFS/A.swift 'let x = unsafe f()' "'unsafe'"
plant Config/Parse.swift '@unsafe struct A {}' "'unsafe'"
plant ProcFS/A.swift $'// fine\n/* a\n b */ let x = unsafe f()' "'unsafe'" 3
allow Linux/A.swift 'let x = unsafe f()'
allow Systemd/A.swift 'let x = unsafe f()'
allow Config/YAMLTree.swift 'let x = unsafe f()'
allow ProcFS/A.swift $'/// What is unsafe.\nlet a = "unsafe \\" await" // await\n/* public /* try! */ actor */'
allow ProcFS/A.swift $'let a = """\n  await unsafe\n  """'
plant ../Tests/A.swift 'let process = Process()' "tests start programs with Child"
plant ProcFS/A.swift 'import Foundation' "Foundation is not imported"
plant ProcFS/A.swift 'internal import FoundationEssentials' "Foundation is not imported"
plant ProcFS/A.swift 'import struct Foundation.Data' "Foundation is not imported"
plant ProcFS/A.swift 'import Dispatch' "no Dispatch"
plant ProcFS/A.swift 'import _Concurrency' "no Dispatch"
plant ProcFS/A.swift 'func f() async {}' "no async"
plant ProcFS/A.swift 'let x = await f()' "no async"
plant ProcFS/A.swift 'actor A {}' "no async"
plant ProcFS/A.swift 'Task { f() }' "no async"
plant ProcFS/A.swift 'Task.detached(priority: .low) { f() }' "no async"
plant ProcFS/A.swift 'public struct A {}' "nothing is public"
plant ProcFS/A.swift 'public import Linux' "nothing is public"
allow ProcFS/A.swift 'let fd = open(path)'
plant ProcFS/A.swift 'let x = try! f()' "no try!"
plant ProcFS/A.swift 'fatalError("x")' "fatalError"
allow procvitals/A.swift 'fatalError("x")'
plant ProcFS/Utils.swift 'let x = 1' "Utils, Common"
plant ProcFS/A.swift "$(seq 451 | sed 's|^|// |')" "at most 450 lines" 450
allow ProcFS/A.swift "$(seq 450 | sed 's|^|// |')"
allow Collector/Catalogue.swift "$(seq 451 | sed 's|^|// |')"

mkdir -p "$work/Sources/Common"
output=$("$root/scripts/walls" "$work" 2>&1)
status=$?
bites Sources/Common:1: "Utils, Common"

# The binary's rules, on C programs that look as if they broke them.
binary() {
  printf '%s\n' "$1" | gcc -x c - -o "$work/program" || complain "gcc failed"
  output=$("$root/scripts/walls" --binary "$work/program" 2>&1)
  status=$?
}
binary 'int main(void) { return 0; }'
[ $status = 0 ] || complain "found fault with an innocent binary: $output"
for symbol in '$s10Foundation4DataV' _ZN6icu_7610Appendable '$s20FoundationEssentials4DataV' \
  '$sSy17_StringProcessingE8containsySbqd__SyRd__lF' '$s12_RegexParser3ASTV'; do
  binary "__attribute__((used)) int f(void) __asm__(\"$symbol\"); int f(void) { return 0; } int main(void) { return 0; }"
  bites program:1 "no Foundation"
done
binary 'char big[11 << 20] = {1}; int main(void) { return big[5]; }'
bites program:1 "the limit is"

[ $failures = 0 ] || exit 1
echo "every wall bites"
