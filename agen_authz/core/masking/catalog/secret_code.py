"""Secrets of where code is kept, built, checked and published."""

from agen_authz.core.masking.assignment import named, standing, starting
from agen_authz.core.masking.entropy import is_secret, random
from agen_authz.core.masking.row import Detector, Preset

_SECRETS = frozenset({Preset.SECRETS})
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_HEX32 = "[0-9a-fA-F]{32}"
_HEX40 = "[0-9a-fA-F]{40}"

GITHUB = Detector(
    id="github_token",
    title="Tokens of GitHub",
    presets=_SECRETS,
    labels=(
        starting(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "gh[pousr]_[A-Za-z0-9]{36,255}"),
        starting(("github_pat_",), "github_pat_[A-Za-z0-9_]{22,255}"),
        # Tokens before 2021 look like commits, so the name must say that it is a token.
        named(
            ("github_token", "githubtoken", "github-token", "github token", "gh_token", "github_pat", "github_oauth"),
            _HEX40,
        ),
        named(("github_client_secret", "github_secret", "github_app_secret"), _HEX40),
    ),
)

GITLAB = Detector(
    id="gitlab_token",
    title="Tokens of GitLab",
    presets=_SECRETS,
    labels=(
        starting(
            ("glpat-", "gldt-", "glrt-", "glrtr-", "glft-", "glsoat-", "glimt-", "glwt-"),
            r"gl(?:pat|dt|rtr?|ft|soat|imt|wt)-[A-Za-z0-9_-]{20,}(?:\.[0-9a-z]{2,9}){0,2}",
        ),
        starting(("glptt-",), "glptt-[0-9a-f]{40}"),
        starting(("glagent-",), "glagent-[A-Za-z0-9_-]{50,}"),
        starting(("gloas-",), "gloas-[0-9A-Za-z]{64}"),
        starting(("glcbt-",), "glcbt-(?:[A-Za-z0-9]{1,5}_)?[A-Za-z0-9_-]{20,}"),
        starting(("glffct-",), "glffct-[A-Za-z0-9_-]{20,}"),
        starting(("gr1348941",), "GR1348941[A-Za-z0-9_-]{20,}"),
        starting(("_gitlab_session",), "_gitlab_session=([0-9a-z]{32})"),
        named(("gitlab",), "[A-Za-z0-9_-]{20}", check=random(3.2)),
    ),
)

ATLASSIAN = Detector(
    id="atlassian_token",
    title="Tokens of Atlassian: Bitbucket, Jira, Confluence, Trello",
    presets=_SECRETS,
    labels=(
        starting(("atatt3", "atctt3"), "AT[AC]TT3[A-Za-z0-9_=-]{60,300}"),
        standing(("atbb",), "ATBB[A-Za-z0-9_=-]{24,40}"),
        starting(("atta",), "ATTA[0-9a-f]{72}"),
        named(("bitbucket",), "[A-Za-z0-9_=-]{64}|[A-Za-z0-9]{32}", check=random(3.0)),
        named(("atlassian", "jira", "confluence"), "[A-Za-z0-9]{24}", check=random(3.4)),
        named(("trello",), r"ATTA[0-9A-Za-z]{30,72}|[0-9a-f]{64}|[0-9A-Za-z-]{32}", check=random(3.0)),
    ),
)

PACKAGE = Detector(
    id="package_token",
    title="Tokens of package registries: npm, PyPI, RubyGems, crates (Rust), NuGet, Docker Hub, Clojars, JFrog",
    presets=_SECRETS,
    labels=(
        starting(("npm_",), "npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])"),
        starting(("pypi-age",), "pypi-AgE[A-Za-z0-9_-]{50,1000}", reach=1100),
        starting(("rubygems_",), "rubygems_[0-9a-f]{48}"),
        standing(("cio",), "cio[A-Za-z0-9]{32}"),
        standing(("oy2",), "oy2[a-z0-9]{43}"),
        starting(("dckr_pat_", "dckr_oat_"), "dckr_[po]at_[A-Za-z0-9_-]{27,40}"),
        starting(("clojars_",), "CLOJARS_[A-Za-z0-9]{60}"),
        standing(("akcp",), "AKCp[A-Za-z0-9]{69,72}"),
        standing(("cmvmd",), "cmVmd[A-Za-z0-9]{59}"),
        starting(
            ("_authtoken", "_auth"), r"_auth(?:Token)?\s?=\s?[\"']?([A-Za-z0-9+/_-]{16,200}={0,2})", check=is_secret
        ),
        starting(
            ("cleartextpassword",),
            r"(?i:cleartextpassword)[\"']?\s{1,5}(?i:value)\s?=\s?[\"']([^\"'\s]{4,200})[\"']",
        ),
        named(("jfrog", "artifactory", "bintray"), "[A-Za-z0-9]{73}|[A-Za-z0-9]{64}", check=random(3.0)),
    ),
    fields=("npm token", "pypi token"),
    field_pattern="[A-Za-z0-9_-]{16}",
)

BUILD = Detector(
    id="ci_token",
    title="Tokens of what builds and checks code: CircleCI, Buildkite, Sonar, Snyk, Sourcegraph, Codecov, Postman ...",
    presets=_SECRETS,
    labels=(
        starting(("squ_", "sqp_", "sqa_"), "sq[pua]_[0-9a-f]{40}"),
        starting(("sgp_",), "sgp_(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}"),
        starting(("slk_",), "slk_[0-9a-f]{64}"),
        starting(("ccipat_", "cciprj_"), "CCI(?:PAT|PRJ)_[A-Za-z0-9]{20,26}_[0-9a-f]{40}"),
        starting(("bkua_",), "bkua_[0-9a-f]{40}"),
        starting(("pmak-",), "PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
        starting(("rdme_",), "rdme_[a-z0-9]{70}"),
        standing(("api-", "sdk-", "mob-"), f"(?:api|sdk|mob)-{_UUID}"),
        named(("sonar",), "[A-Za-z0-9_=-]{40}", check=random(3.0)),
        named(("sourcegraph",), _HEX40),
        named(("snyk",), _UUID),
        named(("codecov",), f"{_UUID}|[A-Za-z0-9]{{32}}", check=random(3.0)),
        named(("travis",), "[A-Za-z0-9_-]{22}", check=random(3.2)),
        named(("droneci", "drone_token", "drone_server"), "[A-Za-z0-9]{32}", check=random(3.0)),
        named(("circleci", "circle_token", "buildkite"), _HEX40),
        named(("launchdarkly",), "[A-Za-z0-9=_-]{40}", check=random(3.0)),
        named(("bundle_enterprise__contribsys__com", "bundle_gems__contribsys__com"), "[0-9a-f]{8}:[0-9a-f]{8}"),
    ),
)

ROWS: tuple[Detector, ...] = (GITHUB, GITLAB, ATLASSIAN, PACKAGE, BUILD)
