// libxcrypt, loaded when the first password has to be checked. No logic lives here.
#ifndef CCRYPT_H
#define CCRYPT_H

/// dlopen(3) and dlsym(3): makes ccrypt_hash usable. NULL, or why not, valid until the thread's next
/// call.
const char *ccrypt_load(void);

/// crypt_ra(3): NULL with errno on failure, else a text inside *data, which the caller frees.
/// Only after ccrypt_load has returned NULL.
char *ccrypt_hash(const char *phrase, const char *setting, void **data, int *size);

/// explicit_bzero(3) and free(3).
void ccrypt_forget(void *data, int size);

#endif
