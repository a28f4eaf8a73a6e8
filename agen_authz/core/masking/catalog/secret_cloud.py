"""Secrets of clouds, of what hosts and delivers, and of what sets infrastructure up."""

from agen_authz.core.masking.assignment import inside, named, standing, starting
from agen_authz.core.masking.entropy import is_filled, random
from agen_authz.core.masking.row import At, Detector, Form, Label, Preset

_SECRETS = frozenset({Preset.SECRETS})
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_HEX32 = "[0-9a-fA-F]{32}"
_HEX40 = "[0-9a-fA-F]{40}"
_AWS_ID = "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"
_AWS_VALUE = "[A-Za-z0-9+/]{40}"

AWS = Detector(
    id="aws_key",
    title="Keys of AWS: access key, secret access key, session token, Bedrock, signed URL",
    presets=_SECRETS,
    labels=(
        standing(("akia", "asia", "abia", "acca"), _AWS_ID),
        # The secret next to its access key, as in a CSV of credentials; entropy keeps commits out, which are hex.
        starting(
            ("akia", "asia"),
            rf"{_AWS_ID}[^A-Za-z0-9+/=]{{1,20}}(?:\w{{1,40}}[^A-Za-z0-9+/=]{{1,12}})?({_AWS_VALUE})(?![A-Za-z0-9+/=])",
            check=random(4.1),
        ),
        named(
            (
                "secret_access_key",
                "secretaccesskey",
                "secret access key",
                "secret-access-key",
                "aws_secret",
                "aws secret",
            ),
            _AWS_VALUE,
            check=None,
        ),
        named(("aws",), _AWS_VALUE, check=random(4.1)),
        named(
            ("session_token", "sessiontoken", "session token", "security_token", "security-token", "securitytoken"),
            "[A-Za-z0-9+/%]{100,4000}={0,2}",
            reach=4200,
        ),
        starting(
            ("iqojb3jpz2lu", "fwogzxivyxdz"), "(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/%_-]{80,4000}={0,2}", reach=4200
        ),
        starting(("absk",), "ABSK[A-Za-z0-9+/]{100,280}={0,2}"),
        starting(("bedrock-api-key-",), "bedrock-api-key-[A-Za-z0-9+/_-]{40,2000}={0,2}", reach=2100),
        starting(("amzn.mws.",), rf"amzn\.mws\.{_UUID}"),
        standing(("da2-",), "da2-[a-z0-9]{26}"),
        starting(("x-amz-signature=",), "(?i:x-amz-signature)=([0-9a-f]{64})"),
    ),
    fields=("aws secret access key", "secret access key", "aws access key id", "aws session token", "aws secret key"),
    field_pattern="[A-Za-z0-9+/]{16}",
)

GCP = Detector(
    id="gcp_key",
    title="Keys of Google: API key, OAuth access and refresh token, client secret, HMAC key",
    presets=_SECRETS,
    labels=(
        starting(("aiza",), "AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
        starting(("ya29.",), r"ya29\.[A-Za-z0-9_.-]{20,2000}", reach=2100),
        starting(("gocspx-",), "GOCSPX-[A-Za-z0-9_-]{20,40}"),
        standing(("1//0",), "1//0[A-Za-z0-9_-]{40,250}", reach=260),
        standing(("goog1", "goog"), "GOOG(?:1[A-Z0-9]{19,60}|[A-Z0-9]{16,20})"),
        starting(("apa91b",), "APA91b[A-Za-z0-9_-]{100,260}"),
        named(("private_key_id", "privatekeyid"), _HEX40),
    ),
    fields=("private key id", "google api key"),
    field_pattern="[A-Za-z0-9_-]{20}",
)

AZURE = Detector(
    id="azure_key",
    title="Keys of Azure: client secret, account key, shared access signature, DevOps token",
    presets=_SECRETS,
    # Its mark is in the middle, so no word can begin it.
    direct=(Form("[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", (0, 0), 0.95, is_filled),),
    labels=(
        named(
            (
                "accountkey",
                "account_key",
                "account-key",
                "account key",
                "sharedaccesskey",
                "sharedsecretkey",
                "storage_key",
            ),
            "[A-Za-z0-9+/]{43,86}={1,2}",
        ),
        *inside(("jqqj99",), "[A-Za-z0-9_-]{30,76}JQQJ99[A-Za-z0-9_-]{4,32}={0,2}"),
        Label(
            words=("?sig=", "&sig=", ";sig=", "&amp;sig=", "sharedaccesssignature"),
            pattern=r"[^\s\"'<>]{0,400}?\bsig=([A-Za-z0-9+/%_-]{40,120}={0,2})",
            score=0.9,
            at=At.FROM,
            reach=560,
        ),
        named(("azure",), rf"[A-Za-z0-9+/_~.-]{{40,88}}={{0,2}}|{_HEX32}", check=random(3.2)),
        named(("ocp-apim-subscription-key", "subscription-key", "subscription_key", "subscriptionkey"), _HEX32),
    ),
    fields=("account key", "shared access key", "shared access signature", "sas token", "sas key", "subscription key"),
    field_pattern="[A-Za-z0-9+/%=&_-]{20}",
)

DIGITALOCEAN = Detector(
    id="digitalocean_token",
    title="Tokens of DigitalOcean",
    presets=_SECRETS,
    labels=(
        starting(("dop_v1_", "doo_v1_", "dor_v1_"), "do[opr]_v1_[0-9a-f]{64}"),
        named(("digitalocean", "digital_ocean"), "[0-9a-f]{64}"),
    ),
)

CLOUDFLARE = Detector(
    id="cloudflare_key",
    title="Keys and tokens of Cloudflare",
    presets=_SECRETS,
    labels=(
        standing(("v1.0-",), r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}", reach=200),
        standing(("cfut_", "cfat_", "cfk_"), "cf(?:ut|at|k)_[A-Za-z0-9_-]{40,60}"),
        named(("cloudflare", "cf_api", "cf-api", "cf_token"), "[A-Za-z0-9_-]{40}|[0-9a-f]{37}", check=random(3.0)),
    ),
)

HEROKU = Detector(
    id="heroku_key",
    title="Keys of Heroku",
    presets=_SECRETS,
    labels=(
        starting(("hrku-",), f"HRKU-(?:{_UUID}|[A-Za-z0-9_-]{{58,64}})"),
        named(("heroku",), _UUID),
    ),
)

HASHICORP = Detector(
    id="hashicorp_token",
    title="Tokens of HashiCorp Vault, Terraform and Consul",
    presets=_SECRETS,
    labels=(
        standing(("hvs.", "hvb.", "hvr."), r"hv[sbr]\.[A-Za-z0-9_-]{24,400}", reach=420),
        *inside((".atlasv1.",), r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),
        named(("vault", "x-vault-token"), r"[sbr]\.[A-Za-z0-9]{24,100}"),
        named(("consul", "nomad"), _UUID),
    ),
    fields=("vault token", "client token", "unseal key", "root token"),
    field_pattern="[A-Za-z0-9_.-]{16}",
)

CLOUD = Detector(
    id="cloud_token",
    title="Keys of other clouds and hosts: Alibaba, Yandex, Tencent, Fastly, Fly.io, Netlify, PlanetScale, Vercel ...",
    presets=_SECRETS,
    labels=(
        standing(("ltai",), "LTAI[A-Za-z0-9]{12,30}"),
        standing(("akid",), "AKID[A-Za-z0-9]{32}"),
        standing(("aqvn",), "AQVN[A-Za-z0-9_-]{35,38}"),
        standing(("ycaj",), "YCAJ[A-Za-z0-9_-]{21}"),
        standing(("t1.",), r"t1\.[A-Za-z0-9_-]{1,200}={0,2}\.[A-Za-z0-9_-]{86}={0,2}", reach=320),
        standing(("fo1_",), "fo1_[A-Za-z0-9_-]{43}"),
        starting(("fm1a_", "fm1r_", "fm2_"), "fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,2000}={0,3}", reach=2100),
        starting(("pscale_",), r"pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_.=-]{32,64}"),
        starting(("tk-us-",), "tk-us-[A-Za-z0-9_-]{48}"),
        standing(("nfp_",), "nfp_[A-Za-z0-9]{36,50}"),
        standing(("vcp_", "vci_", "vca_", "vcr_", "vck_"), "vc[piark]_[A-Za-z0-9]{24,80}"),
        standing(("rnd_",), "rnd_[A-Za-z0-9]{28,40}"),
        starting(("sbp_", "sb_secret_"), "sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20,60}"),
        starting(("napi_",), "napi_[a-z0-9]{50,70}"),
        starting(("tskey-",), "tskey-[a-z]{2,10}-[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,50}"),
        named(("alibaba", "aliyun"), "[A-Za-z0-9]{30}", check=random(3.0)),
        named(("yandex",), "YC[A-Za-z0-9_-]{38}|[A-Za-z0-9_-]{40}", check=random(3.0)),
        named(("fastly",), "[A-Za-z0-9_=-]{32}", check=random(3.0)),
        named(("netlify",), "[A-Za-z0-9_=-]{40,46}", check=random(3.0)),
        named(("vercel",), "[A-Za-z0-9]{24}", check=random(3.0)),
        named(("linode", "vultr", "hetzner"), "[A-Za-z0-9]{36}|[A-Za-z0-9]{64}", check=random(3.0)),
        named(("cisco", "meraki"), _HEX40),
    ),
)

INFRASTRUCTURE = Detector(
    id="infrastructure_token",
    title="Tokens of what deploys and stores: Doppler, Pulumi, Databricks, OpenShift, Confluent, 1Password ...",
    presets=_SECRETS,
    labels=(
        starting(
            ("dp.",), r"dp\.(?:pt|st|ct|sa|said|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}(?![A-Za-z0-9])"
        ),
        standing(("pul-",), "pul-[0-9a-f]{40}"),
        standing(("dapi",), "dapi[0-9a-f]{32}(?:-[0-9])?"),
        starting(("sha256~",), "sha256~[A-Za-z0-9_-]{43}"),
        standing(("pat.", "sat."), r"[ps]at\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}"),
        standing(("ico-",), "ico-[A-Za-z0-9]{32}"),
        standing(("pnu_", "pnb_"), "pn[ub]_[A-Za-z0-9]{36}"),
        standing(("api-",), "API-[A-Z0-9]{26,32}"),
        starting(("dnkey-",), "dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}"),
        starting(("ops_eyj",), "ops_eyJ[A-Za-z0-9+/_-]{200,2000}={0,3}", reach=2100),
        standing(("a3-",), "A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
        standing(("4b1d",), "4b1d[A-Za-z0-9]{38}"),
        starting(("sm_aat_", "sm_pat_", "sm_sat_"), "sm_[aps]at_[A-Za-z0-9]{16}(?![A-Za-z0-9])"),
        named(("confluent",), "[A-Za-z0-9+/]{64}|[A-Za-z0-9]{16}", check=random(2.9)),
        named(("settlemint",), "[A-Za-z0-9_]{20,40}", check=random(3.0)),
        named(("aio_key", "adafruit"), "[A-Za-z0-9_-]{32}", check=random(3.0)),
        named(
            ("kubeconfig", "bootstrap_token", "bootstrap token", "kubeadm"),
            r"[a-z0-9]{6}\.[a-z0-9]{16}",
            check=random(2.8),
        ),
    ),
)

ROWS: tuple[Detector, ...] = (
    AWS,
    GCP,
    AZURE,
    DIGITALOCEAN,
    CLOUDFLARE,
    HEROKU,
    HASHICORP,
    CLOUD,
    INFRASTRUCTURE,
)
