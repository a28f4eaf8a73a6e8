"""Secrets of models, of what people write and plan with, and of all other services."""

from agen_authz.core.masking.assignment import named, standing, starting
from agen_authz.core.masking.entropy import random
from agen_authz.core.masking.row import Detector, Preset

_SECRETS = frozenset({Preset.SECRETS})
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_HEX32 = "[0-9a-fA-F]{32}"
_HEX40 = "[0-9a-fA-F]{40}"
_HEX64 = "[0-9a-fA-F]{64}"

OPENAI = Detector(
    id="openai_key",
    title="Keys of OpenAI, and of services whose keys look alike",
    presets=_SECRETS,
    labels=(
        standing(
            ("sk-",),
            "sk-(?:(?:proj|svcacct|admin|None|service)-[A-Za-z0-9_-]{20,250}|or-v1-[0-9a-f]{64}|lf-[0-9a-f-]{36}|"
            "[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{32,64})",
            reach=280,
        ),
        starting(("t3blbkfj",), "T3BlbkFJ[A-Za-z0-9_-]{20,120}"),
        named(("openai",), "sk-[A-Za-z0-9_-]{20,250}"),
    ),
)

ANTHROPIC = Detector(
    id="anthropic_key",
    title="Keys of Anthropic",
    presets=_SECRETS,
    labels=(starting(("sk-ant-",), "sk-ant-[A-Za-z0-9_-]{20,250}"),),
)

HUGGING_FACE = Detector(
    id="huggingface_token",
    title="Tokens of Hugging Face",
    presets=_SECRETS,
    labels=(
        standing(("hf_",), "hf_[A-Za-z0-9]{34,40}"),
        standing(("api_org_",), "api_org_[A-Za-z0-9]{34}"),
    ),
)

MODEL = Detector(
    id="ai_key",
    title="Keys of other models and of what serves them: Perplexity, Cohere, Groq, Replicate, LangSmith, xAI ...",
    presets=_SECRETS,
    labels=(
        standing(("pplx-",), "pplx-[A-Za-z0-9]{48,56}"),
        standing(("gsk_",), "gsk_[A-Za-z0-9]{48,56}"),
        standing(("r8_",), "r8_[A-Za-z0-9]{37,40}"),
        starting(("lsv2_",), "lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
        standing(("xai-",), "xai-[A-Za-z0-9]{70,90}"),
        standing(("tvly-",), "tvly-(?:dev-|prod-)?[A-Za-z0-9_-]{20,60}"),
        starting(("nvapi-",), "nvapi-[A-Za-z0-9_-]{60,70}"),
        starting(("pcsk_",), "pcsk_[A-Za-z0-9]{5,8}_[A-Za-z0-9]{50,70}"),
        standing(("fc-",), "fc-[0-9a-f]{32}"),
        standing(("fw_",), "fw_[A-Za-z0-9]{22,28}"),
        standing(("sk_",), "sk_[0-9a-f]{48}"),
        standing(("jina_",), "jina_[A-Za-z0-9_-]{50,70}"),
        named(("cohere", "co_api_key"), "[A-Za-z0-9]{40}", check=random(3.0)),
        named(("mistral", "voyage", "together"), "[A-Za-z0-9_-]{32,64}", check=random(3.2)),
        named(("privateai", "private_ai", "private-ai"), "[A-Za-z0-9]{32}", check=random(3.0)),
        named(("wandb", "deepgram"), _HEX40),
        named(("elevenlabs", "assemblyai"), _HEX32),
    ),
)

WORKSPACE = Detector(
    id="workspace_token",
    title="Tokens of what people write and plan with: Notion, Airtable, Asana, Linear, Figma, Dropbox, HubSpot ...",
    presets=_SECRETS,
    labels=(
        standing(("ntn_",), "ntn_[0-9]{11}[A-Za-z0-9]{35}"),
        standing(("secret_",), "secret_[A-Za-z0-9]{43}"),
        standing(("pat",), r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
        named(("airtable",), "key[A-Za-z0-9]{14}|[A-Za-z0-9]{17}", check=random(3.0)),
        named(("asana",), "[0-9]{16}|[0-9a-z]{32}|[012]/[0-9]{14,18}(?:/[0-9]{14,18})?:[0-9a-f]{32}"),
        starting(("lin_api_", "lin_oauth_"), "lin_(?:api|oauth)_[A-Za-z0-9]{40,64}"),
        named(("linear",), _HEX32),
        starting(("figd_", "figo_", "figu_"), "fig[dou]_[A-Za-z0-9_-]{40,60}"),
        standing(("sl.",), r"sl\.[A-Za-z0-9_=-]{130,2000}", reach=2100),
        named(("dropbox",), "[a-z0-9]{15}|[A-Za-z0-9]{11}AAAAAAAAAA[A-Za-z0-9_=-]{43}", check=random(2.9)),
        starting(("pat-na", "pat-eu", "pat-ap"), f"pat-(?:na|eu|ap)[0-9]-{_UUID}"),
        named(("hubspot",), _UUID),
        standing(("tfp_",), r"tfp_[A-Za-z0-9_.=-]{59}"),
        starting(("fio-u-",), "fio-u-[A-Za-z0-9_=-]{64}"),
        starting(("cfpat-",), "CFPAT-[A-Za-z0-9_-]{43}"),
        named(("contentful",), "[A-Za-z0-9=_-]{43}", check=random(3.0)),
        standing(("00d",), r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{80,200}", reach=230),
        standing(("1000.",), r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}"),
        named(("todoist",), _HEX40),
        named(("squarespace",), _UUID),
        named(("beamer",), "b_[A-Za-z0-9=_-]{44}"),
        named(("miro", "clickup", "monday_api"), "pk_[0-9]{4,10}_[A-Z0-9]{32}|[A-Za-z0-9_-]{27}", check=random(3.2)),
    ),
)

IDENTITY = Detector(
    id="identity_key",
    title="Keys of identity providers: Okta, Auth0, Authress, Adobe, 42",
    presets=_SECRETS,
    labels=(
        named(("okta", "ssws"), "00[A-Za-z0-9_=-]{40}"),
        starting(("ssws",), "SSWS[ ]{1,3}(00[A-Za-z0-9_=-]{40})"),
        standing(
            ("sc_", "ext_", "scauth_", "authress_"),
            r"(?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}",
            reach=240,
        ),
        named(("auth0",), "[A-Za-z0-9_-]{64}", check=random(3.5)),
        starting(("p8e-",), "p8e-[A-Za-z0-9]{32}"),
        named(("adobe",), _HEX32),
        starting(("s-s4t2",), "s-s4t2(?:ud|af)-[0-9a-f]{64}"),
    ),
)

OTHER = Detector(
    id="vendor_key",
    title="Keys of other services: Mapbox, Algolia, Etsy, RapidAPI, Adafruit, MaxMind, Looker, ReadMe ...",
    presets=_SECRETS,
    labels=(
        standing(("pk.", "sk.", "tk."), r"[pst]k\.[A-Za-z0-9_-]{50,140}\.[A-Za-z0-9_-]{22}", reach=180),
        starting(("aio_",), "aio_[A-Za-z0-9]{28}"),
        named(("maxmind", "geoip", "license"), "[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),
        named(("algolia",), "[A-Za-z0-9]{32}", check=random(3.0)),
        named(("etsy",), "[A-Za-z0-9]{24}", check=random(3.0)),
        named(("rapidapi",), "[A-Za-z0-9_-]{50}", check=random(3.0)),
        named(("nytimes", "new-york-times", "newyorktimes", "new_york_times"), "[A-Za-z0-9=_-]{32}", check=random(3.0)),
        named(("looker",), "[A-Za-z0-9]{20}|[A-Za-z0-9]{24}", check=random(3.0)),
        named(("lob_", "lobsecret", "lob_api"), "(?:live|test)_(?:pub_)?[0-9a-f]{31,35}"),
        named(("openweather", "weather_api", "newsapi", "giphy"), "[A-Za-z0-9]{32}", check=random(3.0)),
        named(("amplitude", "mixpanel", "segment_write"), _HEX32),
        named(("ngrok",), "[A-Za-z0-9]{20,30}_[A-Za-z0-9]{18,24}", check=random(3.2)),
    ),
)

ROWS: tuple[Detector, ...] = (OPENAI, ANTHROPIC, HUGGING_FACE, MODEL, WORKSPACE, IDENTITY, OTHER)
