#include "COpenSSL.h"

#ifdef LINKED

#define ENTRY(name) .name = name,
static const struct copenssl table = {
  COPENSSL_SSL_FUNCTIONS(ENTRY)
  COPENSSL_CRYPTO_FUNCTIONS(ENTRY)
};

const struct copenssl *copenssl_load(const char **problem) {
  (void)problem;
  return &table;
}

#else

#include <dlfcn.h>

static struct copenssl table;

const struct copenssl *copenssl_load(const char **problem) {
  void *crypto = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  void *ssl = crypto ? dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL) : NULL;
#define FIND(name) && (*(void **)&table.name = dlsym(library, #name))
  void *library = ssl;
  if (ssl COPENSSL_SSL_FUNCTIONS(FIND)) {
    library = crypto;
    if (crypto COPENSSL_CRYPTO_FUNCTIONS(FIND)) return &table;
  }
  *problem = dlerror();
  return NULL;
}

#endif
