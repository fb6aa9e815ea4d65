/** What an embedder's program loads. */
import '@alphaswarm/cloud-cli';
