# Versions of what tests/cluster/tools/build.sh builds; those of Kubernetes, etcd and helm-unittest
# stand in their go.mod.
HELM=3.21.4
KWOK=0.8.0
# The custom resource definitions that the chart and its examples use: module, version, file.
CRDS="
github.com/prometheus-operator/prometheus-operator 0.85.0 example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml
github.com/prometheus-operator/prometheus-operator 0.85.0 example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml
github.com/kedacore/keda/v2 2.21.0 config/crd/bases/keda.sh_scaledobjects.yaml
github.com/kedacore/keda/v2 2.21.0 config/crd/bases/keda.sh_triggerauthentications.yaml
github.com/cert-manager/cert-manager 1.21.2 deploy/crds/cert-manager.io_certificates.yaml
github.com/mongodb/mongodb-kubernetes-operator 0.9.0 config/crd/bases/mongodbcommunity.mongodb.com_mongodbcommunity.yaml
sigs.k8s.io/gateway-api 1.6.3 config/crd/standard/gateway.networking.k8s.io_httproutes.yaml
"
