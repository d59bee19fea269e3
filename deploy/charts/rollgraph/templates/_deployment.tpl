{{/* A Deployment of (list . COMPONENT COMMAND): pods that differ in what they run alone. */}}
{{- define "rollgraph.deployment" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $part := index $root.Values $component -}}
{{- $http := $root.Values.config.http -}}
{{- $stop := int (default 0 $part.preStopSeconds) -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "rollgraph.fullname" $root }}-{{ $component }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "rollgraph.labels" (list $root $component) | nindent 4 }}
spec:
  {{- if eq $root.Values.mode "single" }}
  replicas: 1
  {{- else if not (and $part.autoscaling $part.autoscaling.enabled) }}
  replicas: {{ $part.replicas }}
  {{- end }}
  # A new pod is ready before an old one goes.
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels: {{- include "rollgraph.selector" (list $root $component) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "rollgraph.labels" (list $root $component) | nindent 8 }}
        {{- with $part.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        # Settings are read at the start. What is read again when it changes is not in here.
        checksum/settings: {{ include "rollgraph.settings" $root | sha256sum }}
        {{- with $part.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ include "rollgraph.serviceAccount" $root }}
      automountServiceAccountToken: {{ eq (include "rollgraph.readsHub" $root) "true" }}
      enableServiceLinks: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      # Until load balancers know, then the drain, then what a busy node takes.
      terminationGracePeriodSeconds: {{ add $stop (ceil (default 10 $http.shutdown_grace)) 5 }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      topologySpreadConstraints:
        {{- range default (list (dict "topologyKey" "topology.kubernetes.io/zone" "maxSkew" 1 "whenUnsatisfiable" "ScheduleAnyway") (dict "topologyKey" "kubernetes.io/hostname" "maxSkew" 1 "whenUnsatisfiable" "ScheduleAnyway")) $part.topologySpreadConstraints }}
        - {{- toYaml . | nindent 10 }}
          labelSelector:
            matchLabels: {{- include "rollgraph.selector" (list $root $component) | nindent 14 }}
        {{- end }}
      containers:
        - name: {{ $component }}
          image: {{ include "rollgraph.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [{{ index . 2 }}, --config, /etc/rollgraph/settings/rollgraph.yaml]
          {{- if or $root.Values.redis.urlKey $root.Values.extraEnv }}
          env:
            {{- with $root.Values.redis }}{{ if .urlKey }}
            - name: ROLLGRAPH_REDIS__URL
              valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .urlKey }}}}
            {{- end }}{{ end }}
            {{- with $root.Values.extraEnv }}{{ toYaml . | nindent 12 }}{{ end }}
          {{- end }}
          ports:
            - {name: http, containerPort: {{ default 8000 $http.port }}, protocol: TCP}
            {{- with ($root.Values.config.metrics).port }}
            - {name: metrics, containerPort: {{ . }}, protocol: TCP}
            {{- end }}
          # None of them fails for a cluster that is away, or for Redis.
          startupProbe:
            httpGet: {path: /startupz, port: http}
            periodSeconds: 2
            failureThreshold: 30
          livenessProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          {{- if $stop }}
          lifecycle:
            preStop: {sleep: {seconds: {{ $stop }}}}
          {{- end }}
          resources: {{- toYaml $part.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: settings, mountPath: /etc/rollgraph/settings, readOnly: true}
            {{- if include "rollgraph.clusters" $root }}
            - {name: clusters, mountPath: /etc/rollgraph/clusters, readOnly: true}
            {{- end }}
            {{- if include "rollgraph.policy" $root }}
            - {name: policy, mountPath: /etc/rollgraph/policy, readOnly: true}
            {{- end }}
            {{- range $name, $values := pick $root.Values "redis" "oidc" "session" }}{{ if $values.existingSecret }}
            - {name: {{ $name }}, mountPath: /etc/rollgraph/{{ $name }}, readOnly: true}
            {{- end }}{{ end }}
            {{- with $root.Values.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
      volumes:
        - name: settings
          configMap: {name: {{ include "rollgraph.fullname" $root }}}
        {{- if include "rollgraph.clusters" $root }}
        # A directory of kubeconfigs: each stands for itself.
        - name: clusters
          projected:
            defaultMode: 0440
            sources:
              {{- with $root.Values.clusters.kubeconfigSecret }}
              - secret: {name: {{ . }}}
              {{- end }}
              {{- if $root.Values.clusters.local.enabled }}
              - configMap: {name: {{ include "rollgraph.fullname" $root }}-local}
              {{- end }}
        {{- end }}
        {{- with include "rollgraph.policy" $root }}
        - name: policy
          configMap: {name: {{ . }}}
        {{- end }}
        {{- range $name, $values := pick $root.Values "redis" "oidc" "session" }}{{ with $values.existingSecret }}
        - name: {{ $name }}
          secret: {secretName: {{ . }}, defaultMode: 0440}
        {{- end }}{{ end }}
        {{- with $root.Values.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with $part.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $part.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $part.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $part.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
{{- end -}}
