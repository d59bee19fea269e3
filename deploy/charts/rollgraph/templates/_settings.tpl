{{/* The settings file: the paths of what the chart mounts, and over that what `config` says. */}}
{{- define "rollgraph.settings" -}}
{{- $own := dict -}}
{{- if include "rollgraph.clusters" . -}}
{{- $_ := set $own "spokes" (dict "kubeconfig" (list "/etc/rollgraph/clusters")) -}}
{{- end -}}
{{- with .Values.redis -}}
{{- $redis := dict -}}
{{- range $setting, $key := dict "password_file" .passwordKey "ca_file" .caKey "cert_file" .certKey "key_file" .keyKey -}}
{{- if $key -}}{{- $_ := set $redis $setting (printf "/etc/rollgraph/redis/%s" $key) -}}{{- end -}}
{{- end -}}
{{- if $redis -}}{{- $_ := set $own "redis" $redis -}}{{- end -}}
{{- end -}}
{{- if .Values.oidc.existingSecret -}}
{{- $_ := set $own "oidc" (dict "client_secret_file" (printf "/etc/rollgraph/oidc/%s" .Values.oidc.clientSecretKey)) -}}
{{- end -}}
{{- if .Values.session.existingSecret -}}
{{- $_ := set $own "auth" (dict "session_secret_file" (printf "/etc/rollgraph/session/%s" .Values.session.secretKey)) -}}
{{- end -}}
{{- if include "rollgraph.policy" . -}}
{{- $files := list -}}
{{- range ternary (list "policy.csv") .Values.policy.keys (empty .Values.policy.existingConfigMap) -}}
{{- $files = append $files (printf "/etc/rollgraph/policy/%s" .) -}}
{{- end -}}
{{- $_ := set $own "policy" (dict "files" $files) -}}
{{- end -}}
{{- toYaml (mustMergeOverwrite $own (deepCopy .Values.config)) -}}
{{- end -}}

{{/* Whether kubeconfig files are mounted. */}}
{{- define "rollgraph.clusters" -}}
{{- if or .Values.clusters.kubeconfigSecret .Values.clusters.local.enabled -}}true{{- end -}}
{{- end -}}

{{/* The ConfigMap that the policy is in; nothing without one. */}}
{{- define "rollgraph.policy" -}}
{{- if .Values.policy.existingConfigMap -}}
{{ .Values.policy.existingConfigMap }}
{{- else if .Values.policy.text -}}
{{ include "rollgraph.fullname" . }}-policy
{{- end -}}
{{- end -}}

{{/* What would only be found out by pods that do not start. */}}
{{- define "rollgraph.check" -}}
{{- $argocd := default dict .Values.config.argocd -}}
{{- $auth := default dict .Values.config.auth -}}
{{- $oidc := default dict .Values.config.oidc -}}
{{- $redis := default dict .Values.config.redis -}}
{{- if ne (default "none" $auth.mode) "oidc" -}}
{{- fail "config.auth.mode: without a login Rollgraph listens on loopback only, where no Service reaches it; expected oidc" -}}
{{- end -}}
{{- if not (or $oidc.issuer $auth.issuers $auth.service_accounts $argocd.namespace) -}}
{{- fail "config.oidc.issuer: nobody could log in; expected the URL of your OpenID provider, or config.auth.service_accounts, or config.argocd.namespace to take over Argo CD's" -}}
{{- end -}}
{{- if and $oidc.issuer (not (or $oidc.audiences $oidc.client_id $oidc.cli_client_id)) -}}
{{- fail "config.oidc: tokens that the issuer made for others would be good here; expected audiences, client_id or cli_client_id" -}}
{{- end -}}
{{- if and $oidc.client_id (not (default dict .Values.config.http).url) -}}
{{- fail "config.http.url: people log in with a browser, which has to know where to come back to; expected the URL that they use" -}}
{{- end -}}
{{- if and $oidc.client_id (eq .Values.mode "distributed") (not (or .Values.session.existingSecret $auth.session_secret_file)) -}}
{{- fail "session.existingSecret: people log in with a browser, and their tokens are kept on Redis; expected a Secret with the key to seal them with" -}}
{{- end -}}
{{- if not (or (include "rollgraph.clusters" .) $argocd.namespace) -}}
{{- fail "clusters: there is nothing to watch; expected clusters.kubeconfigSecret, clusters.local.enabled or config.argocd.namespace" -}}
{{- end -}}
{{- if regexMatch "^[^/]*//[^/@]*:[^/@]+@" (default "" $redis.url) -}}
{{- fail "config.redis.url: a password in it would stand in a ConfigMap; expected it without, and redis.passwordKey, or the whole URL as redis.urlKey, in redis.existingSecret" -}}
{{- end -}}
{{- if and (eq .Values.mode "distributed") (not (or $redis.url .Values.redis.urlKey)) -}}
{{- fail "config.redis.url: workers and gateways meet on a Redis; expected its URL, or redis.urlKey in redis.existingSecret, or mode: single" -}}
{{- end -}}
{{- if and (not .Values.redis.existingSecret) (or .Values.redis.passwordKey .Values.redis.urlKey .Values.redis.caKey .Values.redis.certKey .Values.redis.keyKey) -}}
{{- fail "redis.existingSecret: keys of it are named; expected the name of the Secret that has them" -}}
{{- end -}}
{{- end -}}
