#define _GNU_SOURCE
#include "CCrypt.h"

#include <stdlib.h>
#include <string.h>

#ifdef LINKED

#include <crypt.h>

const char *ccrypt_load(void) { return NULL; }

char *ccrypt_hash(const char *phrase, const char *setting, void **data, int *size) {
  return crypt_ra(phrase, setting, data, size);
}

#else

#include <dlfcn.h>
#include <stdatomic.h>

typedef char *hash_function(const char *, const char *, void **, int *);

static _Atomic(hash_function *) hash;

const char *ccrypt_load(void) {
  if (atomic_load(&hash)) return NULL;
  void *library = dlopen("libcrypt.so.1", RTLD_NOW | RTLD_LOCAL);
  // Where glibc's old library is gone, distributions number libxcrypt's own.
  if (!library) library = dlopen("libcrypt.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  hash_function *function = (hash_function *)dlsym(library, "crypt_ra");
  if (!function) return dlerror();
  atomic_store(&hash, function);
  return NULL;
}

char *ccrypt_hash(const char *phrase, const char *setting, void **data, int *size) {
  return atomic_load(&hash)(phrase, setting, data, size);
}

#endif

void ccrypt_forget(void *data, int size) {
  if (data && size > 0) explicit_bzero(data, (size_t)size);
  free(data);
}
