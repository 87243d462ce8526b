import CLinux

/// Gives memory that was freed in the middle of the heap back to the system.
///
/// The corresponding C function is `malloc_trim(3)`; it walks the whole heap.
package func releaseFreeMemory() {
  _ = malloc_trim(0)
}
