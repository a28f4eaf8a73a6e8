"""Secrets of what companies work, write, pay and sell with."""

from agen_authz.core.masking.assignment import named, standing, starting
from agen_authz.core.masking.entropy import is_filled, random
from agen_authz.core.masking.row import Detector, Form, Preset

_SECRETS = frozenset({Preset.SECRETS})
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_HEX32 = "[0-9a-fA-F]{32}"
_HEX40 = "[0-9a-fA-F]{40}"
_HEX64 = "[0-9a-fA-F]{64}"

SLACK = Detector(
    id="slack_token",
    title="Tokens and webhooks of Slack",
    presets=_SECRETS,
    labels=(
        starting(
            tuple(f"xox{letter}-" for letter in "abceoprs") + tuple(f"xox{letter}." for letter in "abep"),
            r"xox[abceoprs](?:\.xox[a-z])?-[A-Za-z0-9-]{10,300}",
        ),
        starting(("xoxd-",), "xoxd-[A-Za-z0-9%+/=_-]{40,400}", reach=420),
        starting(("xapp-", "xwfp-"), "x(?:app|wfp)-[A-Za-z0-9-]{20,300}"),
        starting(("hooks.slack.com/",), r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/_-]{20,120})"),
    ),
    fields=("slack token", "slack webhook", "slack webhook url"),
    field_pattern="[A-Za-z0-9_/-]{10}",
)

CHAT = Detector(
    id="chat_token",
    title="Tokens and webhooks of chats: Discord, Telegram, Teams, Mattermost, Intercom, Zendesk ...",
    presets=_SECRETS,
    direct=(Form("[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", (0, 0), 0.95, is_filled),),
    labels=(
        named(
            ("discord", "bot_token", "bot token", "bottoken"),
            r"[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
        ),
        starting(
            ("bot m", "bot n", "bot o"), r"(?i:bot) ([MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40})"
        ),
        named(("discord",), f"{_HEX64}|[A-Za-z0-9_-]{{32}}", check=random(3.0)),
        starting(
            ("discord.com/api/", "discordapp.com/api/"),
            r"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/([0-9]{16,20}/[A-Za-z0-9_-]{60,80})",
        ),
        named(("telegr",), "[0-9]{5,16}:A[A-Za-z0-9_-]{34}"),
        starting(
            ("webhook.office.com/",),
            rf"webhook\.office\.com/webhookb2/({_UUID}@{_UUID}/\w{{1,40}}/{_HEX32}/{_UUID}[\w/-]{{0,80}})",
        ),
        named(("mattermost",), "[a-z0-9]{26}", check=random(2.9)),
        named(("gitter",), "[A-Za-z0-9_-]{40}", check=random(3.0)),
        named(("intercom",), "[A-Za-z0-9=_-]{60}", check=random(3.0)),
        named(("messagebird", "message-bird", "message_bird"), f"{_UUID}|[A-Za-z0-9]{{25}}", check=random(3.0)),
        named(("sendbird",), f"{_HEX40}|{_UUID}"),
        named(("zendesk",), "[A-Za-z0-9]{40}", check=random(3.0)),
    ),
    fields=("bot token", "telegram token", "discord token"),
    field_pattern="[A-Za-z0-9_-]{16}",
)

STRIPE = Detector(
    id="stripe_key",
    title="Secret and restricted keys and webhook secrets of Stripe and of services with keys alike",
    presets=_SECRETS,
    labels=(
        standing(
            tuple(f"{kind}_{mode}_" for kind in ("sk", "rk") for mode in ("live", "test", "prod")),
            "[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,247}",
            reach=260,
        ),
        starting(("whsec_",), "whsec_[A-Za-z0-9+/=]{24,100}"),
    ),
)

TWILIO = Detector(
    id="twilio_key",
    title="Keys and tokens of Twilio",
    presets=_SECRETS,
    forms=(Form("SK[0-9a-fA-F]{32}", (34, 34), 0.95, is_filled),),
    labels=(named(("twilio",), "(?:AC|SK)?[0-9a-fA-F]{32}"),),
)

MAIL = Detector(
    id="mail_key",
    title="Keys of what sends mail: SendGrid, Mailgun, Mailchimp, Brevo, Postmark, Resend, Mailjet, Klaviyo",
    presets=_SECRETS,
    direct=(Form("[0-9a-f]{32}-us[0-9]{1,2}", (0, 0), 0.95, is_filled),),
    labels=(
        standing(("sg.",), r"SG\.(?:[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}|[A-Za-z0-9=_.-]{66})"),
        standing(("key-", "pubkey-"), "(?:pub)?key-[0-9a-f]{32}"),
        named(("mailgun",), "[0-9a-h]{32}-[0-9a-h]{8}-[0-9a-h]{8}|(?:pub)?key-[0-9a-f]{32}"),
        starting(("xkeysib-", "xsmtpsib-"), "x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
        standing(("re_",), "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,30}"),
        named(("postmark",), _UUID),
        named(("mailjet", "sparkpost", "mandrill"), f"{_HEX32}|{_HEX40}|[A-Za-z0-9_-]{{22}}", check=random(3.0)),
        standing(("pk_",), "pk_[0-9a-f]{34}"),
    ),
)

SHOPIFY = Detector(
    id="shopify_token",
    title="Tokens and secrets of Shopify",
    presets=_SECRETS,
    labels=(starting(("shpat_", "shpss_", "shpca_", "shppa_", "shptka_"), "shp(?:at|ss|ca|pa|tka)_[0-9a-fA-F]{32}"),),
)

PAYMENT = Detector(
    id="payment_key",
    title="Keys of what moves money: Square, PayPal and Braintree, Plaid, Adyen, GoCardless, exchanges of coins ...",
    presets=_SECRETS,
    labels=(
        starting(("sq0atp-", "sq0csp-", "sq0idp-"), "sq0[a-z]{3}-[A-Za-z0-9_-]{22,60}"),
        standing(("eaaa",), "EAAA[A-Za-z0-9_+=-]{60}"),
        starting(("access_token$",), r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}"),
        starting(("access-sandbox-", "access-development-", "access-production-"), f"access-[a-z]{{7,11}}-{_UUID}"),
        named(("plaid",), "[0-9a-f]{30}|[A-Za-z0-9]{24}", check=random(2.9)),
        named(("paypal", "braintree"), "[A-Za-z0-9_-]{80}|[0-9a-f]{32}", check=random(3.0)),
        starting(
            ("aqe",), "AQE[A-Za-z0-9+/]{3,10}[A-Za-z0-9+/=_{}^!@#$%&*()<>~-]{80,240}", check=random(4.0), score=0.6
        ),
        standing(("live_",), "live_[A-Za-z0-9_=-]{40}", check=random(3.5)),
        starting(("flwseck", "flwpubk"), "FLW(?:SECK|PUBK)(?:_TEST)?-?[0-9a-zA-Z]{12,32}(?:-X)?"),
        starting(("duffel_",), "duffel_(?:test|live)_[A-Za-z0-9_=-]{43}"),
        starting(("ezak", "eztk"), "EZ[AT]K[A-Za-z0-9]{54}"),
        starting(("shippo_",), "shippo_(?:live|test)_[0-9a-f]{40}"),
        standing(
            ("test_", "live_"),
            "(?:live|test)_(?:pub_)?[0-9a-f]{31,35}|(?:live|test)_[A-Za-z0-9]{30}",
            check=random(3.0),
        ),
        standing(("rzp_live_", "rzp_test_"), "rzp_(?:live|test)_[A-Za-z0-9]{14}"),
        starting(("pdl_",), "pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}"),
        starting(("app_usr-",), "APP_USR-[0-9]{12,20}-[0-9]{6}-[0-9a-f]{32}-[0-9]{6,12}"),
        named(("coinbase",), "[A-Za-z0-9_-]{64}", check=random(3.0)),
        named(("kraken",), "[A-Za-z0-9/=_+-]{80,90}", check=random(3.0)),
        named(("kucoin",), f"{_UUID}|[0-9a-f]{{24}}"),
        named(("bittrex", "finicity"), "[A-Za-z0-9]{32}|[A-Za-z0-9]{20}", check=random(3.0)),
        named(("binance",), "[A-Za-z0-9]{64}", check=random(3.0)),
        named(("finnhub", "freshbooks", "freemius"), r"[A-Za-z0-9]{20}|[A-Za-z0-9]{64}|sk_\S{29}", check=random(3.0)),
    ),
    context=("adyen",),
)

SOCIAL = Detector(
    id="social_token",
    title="Tokens of social networks: Facebook, Instagram, X, LinkedIn, Twitch, Flickr",
    presets=_SECRETS,
    labels=(
        starting(("eaac", "eaam", "eaab", "eaag"), "EAA[A-Z][A-Za-z0-9]{80,400}(?![A-Za-z0-9+/=])", reach=420),
        starting(("igqv", "igaa"), "IG(?:QV|AA)[A-Za-z0-9_-]{100,300}", reach=320),
        named(("facebook", "fb_", "access_token", "access token"), r"[0-9]{15,16}(?:\||%7[cC])[A-Za-z0-9_-]{27,40}"),
        named(("facebook", "fb_app", "fb_secret"), _HEX32),
        named(("twitter",), "A{20,22}[A-Za-z0-9%]{50,120}|[0-9]{15,25}-[A-Za-z0-9]{20,40}"),
        named(("twitter",), "[A-Za-z0-9]{45}|[A-Za-z0-9]{50}|[A-Za-z0-9]{25}", check=random(3.0)),
        named(
            ("linkedin", "linked-in", "linked_in"),
            r"WPL_AP1\.\S{12,60}|[A-Za-z0-9]{16}|[A-Za-z0-9]{14}",
            check=random(2.9),
        ),
        named(("twitch",), "[A-Za-z0-9]{30}", check=random(3.0)),
        named(("flickr", "pinterest", "reddit", "spotify"), "[A-Za-z0-9_-]{30,32}", check=random(3.0)),
        starting(("pina_",), "pina_[A-Za-z0-9]{32,}"),
    ),
)

MONITORING = Detector(
    id="monitoring_key",
    title="Keys of what watches systems: Datadog, New Relic, Grafana, Sentry, Dynatrace, Sumo Logic, PagerDuty ...",
    presets=_SECRETS,
    labels=(
        named(
            ("datadog", "dd_api", "dd_app", "dd-api", "dd-application"),
            f"{_HEX40}|{_HEX32}|[A-Za-z0-9]{{40}}",
            check=random(3.0),
        ),
        starting(
            ("nrak-", "nrjs-", "nrii-", "nrra-"),
            "NR(?:AK-[A-Z0-9]{27}|JS-[0-9a-f]{19}|II-[A-Za-z0-9-]{32}|RA-[0-9a-f]{42})",
        ),
        named(("license", "new_relic", "newrelic", "new-relic"), "[0-9a-f]{36}NRAL"),
        named(("new-relic", "newrelic", "new_relic"), "[A-Za-z0-9]{64}|[0-9a-f]{40}", check=random(3.0)),
        starting(("glc_",), "glc_[A-Za-z0-9+/]{32,400}={0,3}", reach=420),
        starting(("glsa_",), "glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}"),
        starting(("eyjrijoi",), "eyJrIjoi[A-Za-z0-9+/]{50,400}={0,3}(?![.])", reach=420),
        starting(
            ("sntrys_", "sntryu_", "sntryi_"), "sntrys_eyJ[A-Za-z0-9+/=_-]{40,500}|sntry[ui]_[0-9a-f]{64}", reach=520
        ),
        named(("sentry",), _HEX64),
        starting(("dt0",), r"dt0[a-z][0-9]{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}"),
        named(("sumo",), "su[A-Za-z0-9]{12}|[A-Za-z0-9]{64}", check=random(3.0)),
        starting(("hcaik_", "hcalk_"), "hca[il]k_[a-z0-9]{32,64}"),
        starting(("phx_",), "phx_[A-Za-z0-9]{40,50}"),
        named(("pagerduty", "pager_duty"), "[A-Za-z0-9_+-]{20}", check=random(3.2)),
        named(("rollbar", "honeycomb", "logdna", "bugsnag"), _HEX32),
    ),
)

ROWS: tuple[Detector, ...] = (SLACK, CHAT, STRIPE, TWILIO, MAIL, SHOPIFY, PAYMENT, SOCIAL, MONITORING)
