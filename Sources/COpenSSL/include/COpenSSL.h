// OpenSSL's functions behind a table that is filled with dlopen(3), so that the libraries are loaded
// only when TLS is asked for. No logic lives here.
#ifndef COPENSSL_H
#define COPENSSL_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define COPENSSL_SSL_FUNCTIONS(F)                                                              \
  F(TLS_server_method) F(TLS_client_method)                                                    \
  F(SSL_CTX_new) F(SSL_CTX_free) F(SSL_CTX_ctrl) F(SSL_CTX_set_options)                        \
  F(SSL_CTX_set_cipher_list) F(SSL_CTX_use_certificate) F(SSL_CTX_use_PrivateKey)              \
  F(SSL_CTX_set_verify) F(SSL_CTX_set_cert_verify_callback) F(SSL_CTX_get_cert_store)          \
  F(SSL_CTX_load_verify_file) F(SSL_CTX_set_client_CA_list)                                    \
  F(SSL_CTX_set_alpn_select_cb) F(SSL_CTX_set_num_tickets)                                     \
  F(SSL_new) F(SSL_free) F(SSL_set_bio) F(SSL_set_accept_state) F(SSL_do_handshake)            \
  F(SSL_read) F(SSL_write) F(SSL_shutdown) F(SSL_pending) F(SSL_get_error)                     \
  F(SSL_set_connect_state) F(SSL_ctrl) F(SSL_set1_host) F(SSL_set_hostflags)                   \
  F(SSL_get_verify_result)

#define COPENSSL_CRYPTO_FUNCTIONS(F)                                                           \
  F(ERR_clear_error) F(ERR_get_error) F(ERR_peek_error) F(ERR_reason_error_string)             \
  F(BIO_new) F(BIO_new_mem_buf) F(BIO_free) F(BIO_set_data) F(BIO_get_data) F(BIO_set_init)    \
  F(BIO_set_flags) F(BIO_clear_flags) F(BIO_meth_new) F(BIO_meth_set_read)                     \
  F(BIO_meth_set_write) F(BIO_meth_set_ctrl)                                                   \
  F(PEM_read_bio_X509) F(PEM_read_bio_PrivateKey) F(EVP_PKEY_free)                             \
  F(X509_free) F(X509_check_private_key) F(X509_get_subject_name) F(X509_NAME_dup)             \
  F(X509_NAME_free) F(X509_get_ext_d2i) F(GENERAL_NAMES_free)                                  \
  F(X509_STORE_add_cert) F(X509_STORE_set_flags) F(X509_STORE_CTX_get0_cert)                   \
  F(X509_STORE_CTX_set_error) F(X509_verify_cert) F(X509_verify_cert_error_string)             \
  F(X509_get0_notAfter) F(ASN1_TIME_set) F(ASN1_TIME_diff) F(ASN1_STRING_free)                 \
  F(ASN1_STRING_get0_data) F(ASN1_STRING_length)                                               \
  F(OPENSSL_sk_new_null) F(OPENSSL_sk_push) F(OPENSSL_sk_num) F(OPENSSL_sk_value)

struct copenssl {
#define COPENSSL_MEMBER(name) __typeof__(name) *_Nonnull name;
  COPENSSL_SSL_FUNCTIONS(COPENSSL_MEMBER)
  COPENSSL_CRYPTO_FUNCTIONS(COPENSSL_MEMBER)
#undef COPENSSL_MEMBER
};

/// Options that Swift does not see as macros.
static const uint64_t copenssl_fixed_options =
    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET;
static const uint64_t copenssl_server_preference =
    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;

/// Loads libssl.so.3 and libcrypto.so.3 and fills the table; NULL if that is not possible, with the
/// loader's sentence in `problem`. Both stay loaded; not to be called by two threads at once.
const struct copenssl *_Nullable copenssl_load(const char *_Nullable *_Nonnull problem);

#endif
