# The release binary links neither Foundation nor ICU, and is small.
. "$(dirname "$0")/lib.sh"
need nm strip ldd

"$ROOT/scripts/walls" --binary "$PROCVITALS" || fail "see above"
for library in $(ldd "$PROCVITALS" | awk '{ print $1 }'); do
  case $library in
    linux-vdso* | /lib* | libc.so* | libm.so* | libgcc_s.so* | libstdc++.so* | libpthread.so* | libdl.so* | librt.so* | libutil.so*) ;;
    libsystemd.so* | libpcre2-8.so* | libyaml-0* | libcap.so* | libgcrypt.so* | libgpg-error.so* | liblz* | libzstd.so* | libcrypt.so* | libdeflate.so*) ;;
    *) fail "it links $library" ;;
  esac
done
