"""Single sign-on through OpenID Connect, with django-allauth's protocol and the studio's accounts.

An application that is installed only where a provider is configured (studio.settings).
"""
