{{/* What Rollgraph does itself: it watches, tells of actions as Events, and may be who acts. */}}
{{- define "rollgraph-spoke.rules" -}}
- {apiGroups: [argoproj.io], resources: [rollouts, analysisruns, experiments], verbs: [list, watch]}
- {apiGroups: [apps], resources: [replicasets, deployments], verbs: [list, watch]}
- {apiGroups: [""], resources: [pods, events], verbs: [list, watch]}
{{- if .Values.actions }}
{{- if eq .Values.identity "serviceAccount" }}
{{ include "rollgraph-spoke.acting" . }}
{{- end }}
- {apiGroups: [""], resources: [events], verbs: [create]}
{{- end }}
{{- end -}}

{{/* What all actions together take. Rollgraph itself lists anyway: to undo, and to end an AnalysisRun. */}}
{{- define "rollgraph-spoke.acting" -}}
- {apiGroups: [argoproj.io], resources: [rollouts, analysisruns, experiments], verbs: [get, patch]}
- {apiGroups: [argoproj.io], resources: [rollouts/status], verbs: [patch]}
- {apiGroups: [apps], resources: [deployments, replicasets], verbs: [get, patch]}
{{- if ne .Values.identity "serviceAccount" }}
- {apiGroups: [apps], resources: [replicasets], verbs: [list]}
- {apiGroups: [argoproj.io], resources: [experiments], verbs: [list]}
{{- end }}
- {apiGroups: [""], resources: [podtemplates], verbs: [get, patch]}
{{- end -}}

{{/* Whether there is somebody whom it may be: "true" or "". */}}
{{- define "rollgraph-spoke.impersonates" -}}
{{- $somebody := or .Values.users .Values.anyUser -}}
{{- if and (or .Values.groups .Values.anyGroup) (not $somebody) -}}
{{- fail "groups, anyGroup: expected users or anyUser beside them, since nobody is impersonated by groups alone" -}}
{{- end -}}
{{- if and .Values.actions (eq .Values.identity "impersonate") $somebody -}}true{{- end -}}
{{- end -}}

{{/* Whom it may be. */}}
{{- define "rollgraph-spoke.impersonating" -}}
- apiGroups: [""]
  resources: [users]
  verbs: [impersonate]
  {{- if not .Values.anyUser }}
  resourceNames: {{- toYaml .Values.users | nindent 4 }}
  {{- end }}
{{- if or .Values.groups .Values.anyGroup }}
- apiGroups: [""]
  resources: [groups]
  verbs: [impersonate]
  {{- if not .Values.anyGroup }}
  resourceNames: {{- toYaml .Values.groups | nindent 4 }}
  {{- end }}
{{- end }}
- {apiGroups: [authentication.k8s.io], resources: [userextras/rollgraph-request-id], verbs: [impersonate]}
{{- end -}}

{{/* A role of (list . KIND NAME RULES NAMESPACE), and that Rollgraph has it. */}}
{{- define "rollgraph-spoke.bound" -}}
{{- $root := index . 0 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ index . 1 }}
metadata:
  name: {{ index . 2 }}
  {{- with index . 4 }}
  namespace: {{ . }}
  {{- end }}
rules:
  {{- index . 3 | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ index . 1 }}Binding
metadata:
  name: {{ index . 2 }}
  {{- with index . 4 }}
  namespace: {{ . }}
  {{- end }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ index . 1 }}, name: {{ index . 2 }}}
subjects:
  - {kind: ServiceAccount, name: {{ $root.Values.serviceAccount.name }}, namespace: {{ $root.Release.Namespace }}}
{{- end -}}
