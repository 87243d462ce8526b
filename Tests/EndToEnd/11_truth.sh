# What the page says about a process of known behaviour is true, and is what ps says.
. "$(dirname "$0")/lib.sh"
need ps

vitals
start --target=app=pid:$VITALS
v() { value "$1" target=app; }
scrape
cpu=$(v process_cpu_seconds_total)
fds=$(v process_open_fds)
threads=$(v process_threads)
resident=$(v process_resident_memory_bytes)
faults=$(v process_minor_page_faults_total)
written=$(v process_io_written_bytes_total)
expect "threads at first" "$threads" == 1
expect "descriptors at first" "$fds" == "$(ls /proc/$VITALS/fd | wc -l)"

tell open 50
tell threads 7
tell alloc 64
tell burn 1.5
tell write 1000000
scrape
expect "threads after starting 7" "$(v process_threads)" == "$threads + 7"
expect "descriptors after opening 50" "$(v process_open_fds)" == "$fds + 50"
near "CPU seconds after burning 1.5" "$(v process_cpu_seconds_total)" "$cpu + 1.55" 0.1
near "resident bytes after touching 64 MiB" "$(v process_resident_memory_bytes)" "$resident + 67108864" 1048576
expect "page faults after touching 64 MiB" "$(v process_minor_page_faults_total)" ">=" "$faults + 100"
# The answer "done" is among the bytes written.
near "bytes written" "$(v process_io_written_bytes_total)" "$written + 1000000" 100
near "user and system CPU" "$(v process_cpu_user_seconds_total) + $(v process_cpu_system_seconds_total)" \
  "$(v process_cpu_seconds_total)" 0.02

# The same as ps and the kernel's own text.
near "resident bytes by ps" "$(v process_resident_memory_bytes)" "$(ps -o rss= -p $VITALS) * 1024" 1048576
expect "virtual bytes by ps" "$(v process_virtual_memory_bytes)" == "$(ps -o vsz= -p $VITALS) * 1024"
expect "threads by ps" "$(v process_threads)" == "$(ps -o nlwp= -p $VITALS)"
near "start time by ps" "$(v process_start_time_seconds)" \
  "$(date +%s) - $(ps -o etimes= -p $VITALS)" 2
expect "descriptor limit" "$(v process_max_fds)" == "$(awk '/^Max open files/ { print $4 }' /proc/$VITALS/limits)"
expect "processes" "$(value procvitals_target_processes target=app)" == 1

# A name full of syntax harms nobody.
tell 'name a ) R "\{'
scrape
expect "threads under an ugly name" "$(v process_threads)" == "$threads + 7"
expect "target_up under an ugly name" "$(value procvitals_target_up target=app)" == 1
