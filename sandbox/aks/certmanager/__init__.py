"""cert-manager's part in a cluster that has its Helm release: Issuers, Certificates and ACME by HTTP-01.

Its API is the real one (the definitions are cert-manager's own); its controllers and the ACME server behind
them are the sandbox's, which signs with its own authority. What stands in the objects, the order of the steps
and the wording follow cert-manager, so that its documentation on troubleshooting applies:
https://cert-manager.io/docs/troubleshooting/acme/
"""
