/** NestJS: a module with a route of your own that mints, and the controller and the admin side mounted beside it. */
import 'reflect-metadata';
import { CloudCliError, mint, openAuditStore, openCredentialStore } from '@alphaswarm/cloud-cli';
import { createAdminHandler } from '@alphaswarm/cloud-cli/admin';
import { createControllerHandler, problemAnswer } from '@alphaswarm/cloud-cli/http';
import { getRequestListener } from '@hono/node-server';
import {
  type ArgumentsHost,
  type BeforeApplicationShutdown,
  Body,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  HttpCode,
  Injectable,
  Module,
  type OnApplicationShutdown,
  Post,
  Req,
  Res,
  UnauthorizedException,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { env } = process;
const port = Number(env.PORT ?? 3000);
const home = env.CLOUD_CLI_HOME ?? 'data';
const issuer = env.CLOUD_CLI_JWT_ISSUER!;
const audience = env.CLOUD_CLI_JWT_AUDIENCE!;
const jwks_url = env.CLOUD_CLI_JWKS_URL!;

const audit = await openAuditStore(`sqlite:${home}/audit.sqlite`);
const store = await openCredentialStore(`file:${home}/credentials`);

/** What mints: one for the whole application, and closed with it. */
@Injectable()
class CloudCli implements BeforeApplicationShutdown, OnApplicationShutdown {
  // Who may mint what, on the route below and on the mounted ones alike.
  readonly #policy = [{ actors: ['*@example.com'], keys: ['idp:*'] }];
  readonly #minting = { audit, persist: store.persist, ready: store.ready, policy: this.#policy };

  readonly controller = createControllerHandler({ issuer, audience, jwks_url, ...this.#minting });
  // In production the controller is a process of the host that mints, and this names it.
  readonly admin = createAdminHandler({
    issuer,
    audience,
    jwks_url,
    controller_url: `http://127.0.0.1:${port}`,
  });

  mint(request: unknown, actor: string, signal: AbortSignal) {
    return mint(request, { ...this.#minting, actor, signal });
  }

  /** Then Nest closes its server, which waits for the calls of every route. */
  async beforeApplicationShutdown() {
    await Promise.all([this.controller.drain(), this.admin.drain()]);
  }

  async onApplicationShutdown() {
    await store.close();
    await audit.close();
  }
}

/** Your own sign-in stands here; this one takes the issuer's tokens. */
@Injectable()
class OperatorGuard implements CanActivate {
  readonly #keys = createRemoteJWKSet(new URL(jwks_url));

  async canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest<Request & { actor?: string | undefined }>();
    const token = request.get('authorization')?.replace(/^Bearer /, '') ?? '';
    const verified = await jwtVerify(token, this.#keys, { issuer, audience }).catch(() => undefined);
    if (!verified) throw new UnauthorizedException();
    request.actor = verified.payload.sub;
    return true;
  }
}

@Catch(CloudCliError)
class ProblemFilter implements ExceptionFilter {
  catch(error: CloudCliError, host: ArgumentsHost) {
    const { status, headers, body } = problemAnswer(error);
    host.switchToHttp().getResponse<Response>().status(status).set(headers).send(body);
  }
}

@Controller('credentials')
@UseGuards(OperatorGuard)
@UseFilters(ProblemFilter)
class CredentialsController {
  constructor(private readonly cloudCli: CloudCli) {}

  @Post()
  @HttpCode(200)
  mint(
    @Body() body: unknown,
    @Req() { actor }: { actor: string },
    @Res({ passthrough: true }) response: Response,
  ) {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    return this.cloudCli.mint(body, actor, gone.signal);
  }
}

@Module({ controllers: [CredentialsController], providers: [CloudCli, OperatorGuard] })
class AppModule {}

// Before any body parser: the handlers read the bodies of their calls themselves.
const app = await NestFactory.create<NestExpressApplication>(AppModule, {
  bodyParser: false,
  logger: ['error'],
});
const { controller, admin } = app.get(CloudCli);
const [toController, toAdmin] = [getRequestListener(controller), getRequestListener(admin)];
app.use((request: Request, response: Response, next: () => void) => {
  if (request.path.startsWith('/cloud-cli/')) toController(request, response);
  else if (request.path.startsWith('/admin/settings/credentials/cloud-cli')) toAdmin(request, response);
  else next();
});
app.useBodyParser('json');
app.enableShutdownHooks();
await app.listen(port, '127.0.0.1');
console.log(`listening on http://127.0.0.1:${port}`);
